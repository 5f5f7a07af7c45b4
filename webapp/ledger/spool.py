"""The spool: settle messages that are not committed yet, in a file that survives the process.

Each worker appends to one file of its own in SPENDAI_HOME/spool, one line per message: CRC-32 (hex), a space, JSON.
The line is on disk (fsync) before the client gets the end of its answer; a message that cannot be written is kept in
memory. A worker holds a lock on its file; a worker that starts later replays the files that are not locked. Replaying a
message again does no harm, because a call is settled only once.
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
REJECTED = "rejected.lines"  # in the same folder and form; named rejected.spool, it is delivered at the next start
Message = dict[str, Any]
# Settles one message. True: done. False: not possible yet, try again later. Raises when the database is unavailable.
Deliver = Callable[[Message], bool]
AT_ONCE = 64  # messages delivered concurrently
RETRY_SECONDS = (0.2, 0.5, 1, 2, 5)  # pauses between tries; the last one is repeated


def _line(message: Message) -> bytes:
    text = json.dumps(message, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def read_lines(data: bytes) -> Iterator[Message]:
    """The messages of a spool file. An incomplete or damaged line is logged and skipped."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line:
            continue
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("checksum")
            yield json.loads(text)
        except ValueError:
            log.error("spool: skipped line %s, which is incomplete or damaged", number)


def can_write(folder: Path) -> bool:
    """Whether this user may make files in the folder; or where it is not there yet, make the folder."""
    there = next(path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    return os.access(there, os.W_OK | os.X_OK)


class Spool:
    """This worker's spool file, and a greenlet that delivers its messages.

    folder: where the files are. deliver: see Deliver.
    """

    def __init__(self, folder: Path, deliver: Deliver) -> None:
        self._folder, self._deliver = folder, deliver
        self._file: int | None = None
        self._pending: list[Message] = []
        self._writing = Semaphore()
        self._retrying: gevent.Greenlet | None = None

    @property
    def waiting(self) -> int:
        """How many messages are not delivered yet."""
        return len(self._pending)

    def append(self, message: Message) -> bool:
        """Write a message to disk, and deliver it as soon as possible. False: not on disk, delivered from memory."""
        with self._writing:
            self._pending.append(message)
            if not self._retrying:
                self._retrying = gevent.spawn(self._retry)
            if not self.put(message):
                return False
            # In a thread, so that the other calls of this worker go on while the disk is slow.
            with _logged("the file cannot be synced"):
                gevent.get_hub().threadpool.apply(os.fsync, (self._file,))
                return True
            return False

    def put(self, message: Message) -> bool:
        """Append a message to the file without fsync. False: it could not be written, the file is unchanged."""
        try:
            if self._file is None:
                self._file = self._create()
            line, before = _line(message), os.fstat(self._file).st_size
            if os.write(self._file, line) == len(line):
                return True
            os.ftruncate(self._file, before)  # the next line must not continue an incomplete one
            reason = "no space left"
        except OSError as error:
            reason = type(error).__name__
        log.error("call=%s could not be written to the spool: %s", message["id"], reason)
        return False

    def set_aside(self, message: Message) -> None:
        """Keep a message that the database rejects, as one does that lacks the organization, for whoever mends that."""
        with _logged("a rejected message cannot be written"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(self._folder / REJECTED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(b"\n" + _line(message))  # on a line of its own, also after an incomplete one
                file.flush()
                os.fsync(file.fileno())

    def close(self) -> None:
        """Stop delivering, sync and unlock the file. The next start delivers the messages in it."""
        if self._retrying:
            self._retrying.kill()
        if self._file is not None:
            with _logged("the file cannot be synced"):
                os.fsync(self._file)
            os.close(self._file)
            self._file = None

    def _create(self) -> int:
        """Create the file. It is locked before it is named .spool, so that no other worker replays and removes it."""
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
                # Undelivered messages go to the end, so that they do not delay the others.
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
    """fsync a folder, so that the names of new files in it survive a crash."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _deliver_all(messages: list[Message], deliver: Deliver) -> list[bool | Exception]:
    """Deliver messages concurrently, so that they share transactions. What ``deliver`` returned or raised for each."""
    jobs = [gevent.spawn(_deliver_one, deliver, message) for message in messages]
    gevent.joinall(jobs)
    return [job.value for job in jobs]


def _deliver_one(deliver: Deliver, message: Message) -> bool | Exception:
    try:
        return deliver(message)
    except Exception as error:
        return error


def replay(folder: Path, deliver: Deliver, keep: Callable[[Message], bool]) -> int:
    """Deliver the messages of all unlocked spool files and remove the files. Returns the number of messages.

    keep: called with each message that cannot be settled yet; puts it into the spool of this run and returns whether it
    is on disk there. If it is not, the message's old file is not removed.
    Raises what ``deliver`` raises (the file stays), OSError, and BlockingIOError while another worker replays.
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
            return 0  # the worker that writes it is running
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
