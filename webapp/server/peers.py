"""Clients that keep a worker waiting: how long each may, and whose connection is closed when there are too many.

A client sends its body, and reads its answer, at ``rate`` bytes a second or faster. Each way it has ``seconds`` of
waiting in advance: waiting uses them up, bytes earn them again. So a client that stops for ``seconds`` is given up, and
one that is slower than ``rate`` soon after. Only time in which the worker waits for the client counts: a stream with
few events whose client reads all of them costs nothing. The wait for a head is bounded by worker.py and requests.py.

When more than nine tenths of a worker's connections are in use, each new one closes one that waits for its client and
has no call under way: of the address with the most connections, the one that was opened first.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic
from typing import Any, BinaryIO, NamedTuple

import gevent

STEPS = 4  # a wait is looked at so many times within ``seconds``
# States of a TCP connection, the first byte of TCP_INFO: neither side has closed it; the client has closed its side.
ESTABLISHED, CLOSE_WAIT = 1, 8
ANSWER_SECONDS = 1.0  # longest wait for the answer of a client's system to what was sent
BLOCK = 65536  # bytes of a file that are read at a time


class Limits(NamedTuple):
    """What clients are granted; seconds, bytes per second, and connections of one address in one worker.

    trusted: proxies, as FORWARDED_ALLOW_IPS lists them; their connections are not counted by address.
    """

    head_seconds: float = 20
    seconds: float = 30
    rate: float = 500
    per_address: int = 4000
    trusted: str = ""


class Allowance:
    """The seconds that a client may still keep the worker waiting, in one direction."""

    def __init__(self, limits: Limits) -> None:
        self._most, self._rate, self.left = limits.seconds, limits.rate, limits.seconds

    def spend(self, waited: float, moved: int) -> None:
        """Count a wait in seconds and the bytes that moved. Raises TimeoutError when nothing is left."""
        self.left = min(self._most, self.left - waited + moved / self._rate)
        if self.left <= 0:
            raise too_slow()


def too_slow() -> TimeoutError:
    """The error that ends the wait for a client; gunicorn takes its number for a client that went away."""
    return TimeoutError(errno.ECONNRESET, "the client kept the gateway waiting for too long")


class Peer:
    """The socket of one client, in the greenlet that serves it; a wait that takes too long raises TimeoutError.

    serving: between a head and the end of its answer. kept: not to be closed to make room, since its call runs.
    """

    def __init__(self, sock: socket.socket, address: str, limits: Limits) -> None:
        self.unlimited = self._sock = sock  # for whoever takes the connection over and bounds its waits in another way
        self.address, self.greenlet = address, gevent.getcurrent()
        self._reading, self._writing = Allowance(limits), Allowance(limits)
        self._most, self._step = limits.seconds, limits.seconds / STEPS
        self._queued: int | None = None  # bytes that the client had not acknowledged when this was last looked at
        self.serving = self.waits = self.kept = self._ending = False
        sock.settimeout(self._step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def setblocking(self, flag: bool) -> None:
        """Nothing: gunicorn asks for waits without end, or sets time-outs; this class bounds all waits instead."""

    settimeout = setblocking

    def recv(self, size: int) -> bytes:
        """The next bytes, b"" at the end."""
        began, self.waits = monotonic(), self.serving
        try:
            while True:
                try:
                    data = self._sock.recv(size)
                    break
                except TimeoutError as error:
                    if self.serving:
                        self._waited(error, self._reading, 0)
                        began = monotonic()
        finally:  # also after an error: nobody waits for the client while its call is read to the end and settled
            self.waits = self._ending = False
        if self.serving:
            self._reading.spend(min(monotonic() - began, self._step), len(data))
        return data

    def send(self, data: bytes | memoryview) -> int:
        """Send some bytes; returns how many."""
        began = monotonic()
        try:
            while True:
                try:
                    sent = self._sock.send(data)
                    break
                except TimeoutError as error:
                    self.waits = True
                    self._waited(error, self._writing, self._acknowledged())
                    began = monotonic()
        finally:
            self.waits, self._ending, self._queued = False, False, None
        waited = min(monotonic() - began, self._step)  # no more: a worker that is busy is not the client's fault
        if waited > 0.001 or self._writing.left < self._most:  # else there is nothing to count
            self._writing.spend(waited, sent)
        return sent

    def sendall(self, data: bytes | memoryview) -> None:
        """Send all bytes."""
        left = memoryview(data)
        while left:
            left = left[self.send(left) :]

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> None:
        """Send ``count`` bytes of a file from ``offset`` on, by default all."""
        file.seek(offset)
        left = count if count is not None else 2**63
        while left and (block := file.read(min(BLOCK, left))):
            self.sendall(block)
            left -= len(block)

    def closed(self) -> bool:
        """Whether the client has closed its side of the connection. It may go on reading."""
        return self._state() != ESTABLISHED

    def gone(self) -> bool:
        """Whether the client has closed its connection, so that the answer, of which a part was sent, cannot reach it.

        One that has closed its side only acknowledges that part; the system of one that is gone resets the connection.
        Waits for either, ANSWER_SECONDS at most.
        """
        until = monotonic() + ANSWER_SECONDS
        while (state := self._state()) == CLOSE_WAIT and self._unacknowledged():
            if monotonic() > until:
                return True
            gevent.sleep(0.002)
        return state not in (ESTABLISHED, CLOSE_WAIT)

    def _state(self) -> int:
        try:
            return self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        except (AttributeError, OSError):  # not on macOS; no TCP
            return ESTABLISHED

    def _unacknowledged(self) -> int:
        """Bytes that the client has not acknowledged yet."""
        return struct.unpack("i", fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]

    def end(self) -> bool:
        """Give the client up if the worker waits for it now. Returns whether it does."""
        if self.kept or not self.waits:
            return False
        self.waits, self._ending = False, True
        gevent.get_hub().loop.run_callback(self._throw)  # the event loop switches greenlets
        return True

    def _throw(self) -> None:
        if self._ending:  # its bytes have not come meanwhile
            self.greenlet.throw(too_slow())

    def _waited(self, error: TimeoutError, allowance: Allowance, moved: int) -> None:
        """One step has passed without a byte. Raises TimeoutError when the client is given up."""
        if error.errno is not None:  # from ``end``
            raise error
        allowance.spend(self._step, moved)

    def _acknowledged(self) -> int:
        """Bytes that the client took from the system's buffer since the last look.

        The system reports room only when a third of its buffer, of megabytes, is free: for a client that reads slowly
        this may take minutes.
        """
        try:
            left = self._unacknowledged()
        except OSError:  # not on macOS
            return 0
        before, self._queued = self._queued, left
        return 0 if before is None else max(0, before - left)


class Peers:
    """The connections of one worker, ``most`` of them at most, by address.

    give_up: ends the wait of one connection, and returns whether it was waiting for its client.
    """

    def __init__(self, limits: Limits, most: int, give_up: Callable[[Peer], bool]) -> None:
        self.limits, self._busy, self._give_up = limits, most * 9 // 10, give_up
        self._by_address: dict[str, dict[Peer, None]] = {}  # the connection opened first comes first
        self._count = 0

    def join(self, sock: socket.socket, client: Any) -> Peer | None:
        """The connection of a client that was accepted; None when its address has too many."""
        address = group(client[0]) if isinstance(client, tuple) else ""
        mine = self._by_address.setdefault(address, {})
        over = len(mine) >= self.limits.per_address and not trusted(self.limits.trusted, address)
        if over and not self._end_one(mine):
            return None
        if self._count >= self._busy:
            any(self._end_one(peers) for peers in sorted(self._by_address.values(), key=len, reverse=True))
        mine[peer := Peer(sock, address, self.limits)] = None
        self._count += 1
        return peer

    def leave(self, peer: Peer) -> None:
        """A connection has ended."""
        mine = self._by_address[peer.address]
        del mine[peer]
        self._count -= 1
        if not mine:
            del self._by_address[peer.address]

    def _end_one(self, peers: dict[Peer, None]) -> bool:
        return any(self._give_up(peer) for peer in peers)


@lru_cache(maxsize=4096)
def group(text: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address, which belongs to one customer."""
    address = ip_address(text.partition("%")[0])
    if not isinstance(address, IPv6Address):
        return text
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ip_network((int(address) >> 64 << 64, 64)).network_address)


@lru_cache(maxsize=4096)
def trusted(setting: str, address: str) -> bool:
    """Whether FORWARDED_ALLOW_IPS lists an address as ``group`` returns it."""
    words = [word.strip() for word in setting.split(",") if word.strip()]
    if "*" in words or not address:
        return True
    return any(ip_address(address) in ip_network(word, strict=False) for word in words)
