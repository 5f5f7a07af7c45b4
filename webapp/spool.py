"""The spool: settle messages that the database has not taken yet, in a file that outlives the process.

One append-only file per worker in SPENDAI_HOME/spool, a line per message: CRC-32, a space, JSON. A line is on disk
(fsync) before the client gets the end of its answer. The living writer holds a lock on its file; whoever starts later
replays only files that nobody holds. Replaying is safe at any time and any number of times: a call settles once.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
from gevent.lock import Semaphore

log = logging.getLogger("spendai.spool")
Message = dict[str, Any]
Deliver = Callable[[Message], object]  # returns when the database gave a definite answer, raises when it did not
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

    def append(self, message: Message) -> None:
        """Put a message on disk, then keep trying to deliver it. Raises OSError when it cannot be stored."""
        with self._writing:
            if self._file is None:
                self._file = self._create()
            os.write(self._file, _line(message))
            # In a thread of the pool: a disk that is slow to sync must not stop the other calls.
            gevent.get_hub().threadpool.apply(os.fsync, (self._file,))
            self._pending.append(message)
        if not self._retrying:
            self._retrying = gevent.spawn(self._retry)

    def _create(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{uuid.uuid4().hex}.spool"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)  # the file's name must survive too
        os.close(folder)
        return file

    def _retry(self) -> None:
        tries = 0
        while self._pending:
            try:
                self._deliver(self._pending[0])
            except Exception:
                gevent.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
                continue
            tries = 0
            with self._writing:
                self._pending.pop(0)
                if not self._pending and self._file is not None:
                    os.ftruncate(self._file, 0)
        self._retrying = None


def replay(folder: Path, deliver: Deliver) -> int:
    """Deliver what earlier runs left behind; returns how many messages. What ``deliver`` raises ends it, files stay."""
    count = 0
    for path in sorted(folder.glob("*.spool")) if folder.is_dir() else ():
        file = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for message in read_lines(path.read_bytes()):
                deliver(message)
                count += 1
            path.unlink()
        except (BlockingIOError, FileNotFoundError):
            continue  # its writer lives, or another worker was faster
        finally:
            os.close(file)
    return count
