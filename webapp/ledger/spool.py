"""The spool: settle messages that the database has not taken yet, in a file that outlives the process.

One append-only file per worker in SPENDAI_HOME/spool, a line per message: CRC-32, a space, JSON. A line is on disk
(fsync) before the client gets the end of its answer; what the disk does not take is kept in memory. The living writer
holds a lock on its file; whoever starts later replays only files that nobody holds. Replaying is safe at any time and
any number of times: a call settles once.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
from gevent.lock import Semaphore

log = logging.getLogger("spendai.spool")
Message = dict[str, Any]
Deliver = Callable[[Message], bool]  # whether the database gave a definite answer; raises when it gave none
AT_ONCE = 64  # messages that are delivered side by side
RETRY_SECONDS = (0.2, 0.5, 1, 2, 5)


def _line(message: Message) -> bytes:
    text = json.dumps(message, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def read_lines(data: bytes) -> Iterator[Message]:
    """The messages of a spool file; a torn or damaged line is skipped and said so, never fatal."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line:
            continue
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("checksum")
            yield json.loads(text)
        except ValueError:
            log.error("spool: line %s is torn or damaged and was skipped", number)


class Spool:
    """This worker's file, and the greenlet that delivers what is in it."""

    def __init__(self, folder: Path, deliver: Deliver) -> None:
        self._folder, self._deliver = folder, deliver
        self._file: int | None = None
        self._pending: list[Message] = []
        self._writing = Semaphore()
        self._retrying: gevent.Greenlet | None = None

    def append(self, message: Message) -> bool:
        """Put a message on disk for good, and keep trying to deliver it. False: the disk does not take it."""
        with self._writing:
            self._pending.append(message)
            if not self._retrying:
                self._retrying = gevent.spawn(self._retry)
            if not self.put(message):
                return False
            # In a thread of the pool: a disk that is slow to sync must not stop the other calls.
            with _logged("the file cannot be synced"):
                gevent.get_hub().threadpool.apply(os.fsync, (self._file,))
                return True
            return False

    def put(self, message: Message) -> bool:
        """Put a message into the file. False: the disk does not take it, and the file is as it was."""
        try:
            if self._file is None:
                self._file = self._create()
            line, before = _line(message), os.fstat(self._file).st_size
            if os.write(self._file, line) == len(line):
                return True
            os.ftruncate(self._file, before)  # half a line would spoil the next one too
            reason = "no space left"
        except OSError as error:
            reason = type(error).__name__
        log.error("call=%s is not in the spool: %s", message["id"], reason)
        return False

    def close(self) -> None:
        """Let go of the file: whoever starts next delivers what is left in it."""
        if self._retrying:
            self._retrying.kill()
        if self._file is not None:
            with _logged("the file cannot be synced"):
                os.fsync(self._file)
            os.close(self._file)
            self._file = None

    def _create(self) -> int:
        """A new file. It is locked before it has the name of a spool file, so that no other worker replays it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{uuid.uuid4().hex}.new"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            path = path.rename(path.with_suffix(".spool"))
            _sync_folder(self._folder)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        return file

    def _retry(self) -> None:
        tries = 0
        while self._pending:
            taken = self._pending[:AT_ONCE]
            answers = _deliver_all(taken, self._deliver)
            left = [message for message, answer in zip(taken, answers, strict=True) if answer is not True]
            with self._writing:
                # What could not be delivered goes to the end: one stubborn message must not hold up the others.
                self._pending = self._pending[len(taken) :] + left
                if not self._pending and self._file is not None:
                    with _logged("the file cannot be emptied, so its lines will be delivered again"):
                        os.ftruncate(self._file, 0)
            tries = tries + 1 if left else 0
            if left:
                gevent.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS)) - 1])
        self._retrying = None


@contextmanager
def _logged(failure: str) -> Iterator[None]:
    """Log an OSError instead of raising it."""
    try:
        yield
    except OSError as error:
        log.error("spool: %s: %s", failure, type(error).__name__)


def _sync_folder(folder: Path) -> None:
    """Make the names of new files in a folder survive a crash."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _deliver_all(messages: list[Message], deliver: Deliver) -> list[bool | Exception]:
    """Deliver messages side by side, so that they share commits; for each what ``deliver`` returned or raised."""
    jobs = [gevent.spawn(_deliver_one, deliver, message) for message in messages]
    gevent.joinall(jobs)
    return [job.value for job in jobs]


def _deliver_one(deliver: Deliver, message: Message) -> bool | Exception:
    try:
        return deliver(message)
    except Exception as error:
        return error


def replay(folder: Path, deliver: Deliver, keep: Callable[[Message], bool]) -> int:
    """Deliver what earlier runs left behind; returns how many messages. What ``deliver`` raises ends it, files stay.

    keep: puts a message that has no definite answer yet into the spool of this run, and returns whether it is on disk
    there; a file of which a message is not stays. One worker replays at a time, and the others must not think that all
    is done: they get BlockingIOError.
    """
    if not any(folder.glob("*.spool")):
        return 0
    with open(os.open(folder / "replay.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return sum(_replay_file(path, deliver, keep) for path in sorted(folder.glob("*.spool")))


def _replay_file(path: Path, deliver: Deliver, keep: Callable[[Message], bool]) -> int:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # its writer lives
        messages, done = list(read_lines(file.read())), True
        for start in range(0, len(messages), AT_ONCE):
            part = messages[start : start + AT_ONCE]
            for message, answer in zip(part, _deliver_all(part, deliver), strict=True):
                if isinstance(answer, Exception):
                    raise answer
                done &= bool(answer or keep(message))
        if done:
            path.unlink()
        return len(messages)
