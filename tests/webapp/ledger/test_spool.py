"""The spool: a settle that is not committed is on disk before the client has its answer, and is settled later."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import signal
import threading
import time
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import gevent
import pytest
from fake_openai import chat
from fake_upstream import FakeUpstream, reply_json
from processes import signal_all
from stack import Stack

from webapp.ledger.spool import Spool, read_lines, replay

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "spooled-secret"}]}
PRICE = Decimal("0.00000885")


def line(message: dict) -> bytes:
    text = json.dumps(message).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


@pytest.mark.parametrize("torn", [b"12345678 {", b"garbage", b"\x00" * 40, b'00000000 {"id": 2}\n', b"zz\n\n\n"])
def test_an_incomplete_or_damaged_line_is_skipped_and_the_others_are_read(torn):
    assert list(read_lines(line({"id": 1}) + torn + b"\n" + line({"id": 3}))) == [{"id": 1}, {"id": 3}]


def test_replay_keeps_the_file_until_every_line_is_delivered(tmp_path):
    (tmp_path / "a.spool").write_bytes(line({"id": 1}) + line({"id": 2}))
    delivered = []

    def fail_at_second(message):
        delivered.append(message["id"])
        if len(delivered) == 2:
            raise OSError
        return True

    with pytest.raises(OSError):
        replay(tmp_path, fail_at_second, None)
    assert replay(tmp_path, lambda message: delivered.append(message["id"]) or True, None) == 2
    assert delivered == [1, 2, 1, 2] and not list(tmp_path.glob("*.spool"))


def never(message):
    raise OSError


@pytest.fixture
def spool(tmp_path):
    delivered = []
    spool = Spool(tmp_path, lambda message: delivered.append(message["id"]) or True)
    spool.delivered = delivered
    yield spool
    spool.close()


def lines_in(folder):
    return [line["id"] for file in folder.glob("*.spool") for line in read_lines(file.read_bytes())]


def test_a_message_that_does_not_fit_on_the_disk_is_delivered_and_damages_no_other(spool, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert spool.put({"id": "first"})
    room = sum(file.stat().st_size for file in tmp_path.glob("*.spool")) + 10
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))  # as on a full disk: only the beginning of a line fits
        assert not spool.append({"id": "second"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert spool.put({"id": "third"})
    assert lines_in(tmp_path) == ["first", "third"]
    spool._retrying.join(10)
    assert spool.delivered == ["second"]


def test_messages_that_cannot_be_delivered_do_not_delay_the_others(tmp_path):
    delivered = []

    def deliver(message):
        if message["id"] < 100:
            raise OSError
        delivered.append(message["id"])
        return True

    spool = Spool(tmp_path, deliver)
    for number in range(200):
        spool.append({"id": number})
    end = time.monotonic() + 20
    while len(delivered) < 100 and time.monotonic() < end:
        gevent.sleep(0.01)
    assert sorted(delivered) == list(range(100, 200))
    assert 0 in lines_in(tmp_path), "they stay in the file until they are delivered"
    spool.close()


def test_replay_leaves_the_file_of_a_running_worker_alone(spool, tmp_path):
    spool.put({"id": 1})
    assert replay(tmp_path, never, never) == 0 and lines_in(tmp_path) == [1]
    spool.close()
    taken = []
    assert replay(tmp_path, lambda message: taken.append(message["id"]) or True, never) == 1
    assert taken == [1] and lines_in(tmp_path) == []


def test_replay_moves_messages_that_cannot_be_settled_yet_to_the_spool_of_this_run(tmp_path):
    (tmp_path / "old.spool").write_bytes(line({"id": 1}) + line({"id": 2}))
    kept = []
    assert replay(tmp_path, lambda message: message["id"] == 1, lambda message: kept.append(message["id"])) == 2
    assert kept == [2]


def test_replay_does_not_remove_a_file_whose_messages_could_not_be_moved(tmp_path):
    (tmp_path / "old.spool").write_bytes(line({"id": 1}) + line({"id": 2}))
    replay(tmp_path, lambda message: message["id"] == 1, lambda message: False)
    assert lines_in(tmp_path) == [1, 2]
    replay(tmp_path, lambda message: message["id"] == 1, lambda message: True)
    assert lines_in(tmp_path) == []


def open_files(folder: Path) -> list[str]:
    """Paths that this process has open: a folder or files in it."""
    targets = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for target in targets if target.startswith(str(folder))]


class FailingDisk:
    """Makes os.fsync fail for the paths for which ``fails`` returns True."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: Callable[[str], bool]) -> None:
        self.fails, self.fsync = fails, os.fsync
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, file: int) -> None:
        if self.fails(os.readlink(f"/proc/self/fd/{file}")):
            raise OSError(errno.EIO, "the disk fails")
        self.fsync(file)


def test_if_the_folder_cannot_be_synced_no_file_stays_open_and_a_retry_works(spool, tmp_path, monkeypatch):
    disk = FailingDisk(monkeypatch, lambda path: path == str(tmp_path))
    assert not spool.put({"id": 1})
    assert open_files(tmp_path) == [] and list(tmp_path.iterdir()) == []
    disk.fails = lambda path: False
    assert spool.put({"id": 2}) and lines_in(tmp_path) == [2]


def test_a_message_that_cannot_be_synced_is_delivered_from_memory(spool, tmp_path, monkeypatch):
    FailingDisk(monkeypatch, lambda path: path.endswith(".spool"))
    assert not spool.append({"id": 1})
    spool._retrying.join(10)
    assert spool.delivered == [1]
    spool.close()
    assert open_files(tmp_path) == []


def test_messages_are_delivered_even_if_the_file_cannot_be_emptied(spool, tmp_path, monkeypatch):
    def no_truncate(file: int, size: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr(os, "ftruncate", no_truncate)
    for number in (1, 2):
        assert spool.append({"id": number})
        spool._retrying.get(timeout=10)
    assert spool.delivered == [1, 2]


def test_replay_does_not_remove_a_file_that_another_worker_is_creating(spool, tmp_path, monkeypatch):
    lock = fcntl.flock

    def replay_first(file: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        assert replay(tmp_path, never, never) == 0  # by another worker, before the file is locked
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", replay_first)
    assert spool.put({"id": 1}) and lines_in(tmp_path) == [1]


@pytest.fixture
def frozen_settle(stack_dsns, cluster, request):
    """A stack whose database freezes between the open and the settle of its first call."""
    name = f"spendai_spool_{abs(hash(request.node.name)) % 10**8}"

    def thaw() -> None:
        signal_all(cluster.data, signal.SIGCONT)

    def freeze(wire) -> None:
        signal_all(cluster.data, signal.SIGSTOP)
        threading.Timer(30, thaw).start()
        reply_json(chat(CHAT))(wire)

    with (
        FakeUpstream() as fake,
        Stack(*stack_dsns(name), OPENAI_API_KEY="sk-x", OPENAI_API_KEY_SHARED="1", OPENAI_BASE_URL=fake.url) as stack,
    ):
        fake.queue("/v1/chat/completions", freeze)
        try:
            yield stack, fake, thaw
        finally:
            thaw()


def spool_files(stack: Stack) -> bytes:
    return b"".join(file.read_bytes() for file in (Path(stack.home.name) / "spool").glob("*.spool"))


def test_while_the_database_is_frozen_the_client_gets_its_answer_and_the_call_is_settled_later(frozen_settle):
    stack, fake, thaw = frozen_settle
    answer = stack.post(json=CHAT)
    assert answer.ok and answer.json()["usage"]["prompt_tokens"] == 19
    spooled = spool_files(stack)
    assert answer.headers["x-spendai-call-id"].encode() in spooled
    for secret in (b"spooled-secret", stack.key().encode(), b"sk-x", b"Hello!"):
        assert secret not in spooled
    thaw()
    row = stack.wait_for(lambda: (r := stack.row(answer)) and r["state"] == "settled" and r, 20)
    assert row["cost"] == PRICE
    stack.wait_for(lambda: spool_files(stack) == b"")
    assert len(fake.requests) == 1


def test_after_kill_9_the_next_start_settles_the_spooled_call(frozen_settle):
    stack, _, thaw = frozen_settle
    answer = stack.post(json=CHAT)
    assert spool_files(stack)
    os.killpg(stack.process.pid, signal.SIGKILL)
    stack.process.wait()
    thaw()
    stack.start()
    row = stack.row(answer)
    assert (row["state"], row["cost"]) == ("settled", PRICE)
    assert spool_files(stack) == b""
