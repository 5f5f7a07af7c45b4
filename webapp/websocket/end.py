"""One end of a WebSocket: reads whole messages from a socket, writes messages to it, answers pings at once."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple

import gevent
from gevent import socket
from gevent.event import Event
from gevent.lock import RLock
from websockets.exceptions import InvalidState, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, State

from webapp.pause import Pause

CHUNK = 65536
STEP = 4096  # bytes of it that are read at once: a small frame takes as long to read as a large one
MAX_QUEUED = 1 << 20  # bytes that were received and not yet taken; then nothing more is read, so the sender has to wait
FRAGMENT_BYTES = 100  # memory that a fragment takes besides its content
MAX_FRAGMENTS = 65_536  # of a message
MAX_PONGS = 1000  # that wait to be sent; then nothing more is read
PING_SECONDS = 20  # an end that was silent for so long is pinged; after three times as long it is given up
CLOSE_SECONDS = 2  # longest wait for the other side to close the connection too
GONE, NO_CODE, ABNORMAL, TOO_BIG = 1001, 1005, 1006, 1009  # close codes


class Message(NamedTuple):
    """A message as it was sent: text or binary, in one or more fragments."""

    opcode: Opcode
    fragments: tuple[bytes, ...]

    @property
    def data(self) -> bytes:
        """The whole message."""
        return self.fragments[0] if len(self.fragments) == 1 else b"".join(self.fragments)

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes, about; messages without content take some too."""
        return sum(map(len, self.fragments)) + FRAGMENT_BYTES * len(self.fragments)

    @classmethod
    def text(cls, data: bytes) -> Message:
        """A text message in one fragment."""
        return cls(Opcode.TEXT, (data,))


class Gone(ConnectionError):
    """The other side can no longer be written to."""


class End:
    """One end, towards the client or towards OpenAI. ``protocol``: the library's state, after the handshake.

    ``code`` and ``reason``: how the other side closed it, once ``take`` returned None: 1005 without a code, 1006 when
    the connection broke. ``fault``: the close code that was sent because the other side broke the protocol's rules or
    sent a message that is too long; None otherwise.
    """

    def __init__(self, sock: socket.socket, protocol: Protocol, unread: bytes = b"") -> None:
        self._sock, self._protocol, self._writing, self._closing = sock, protocol, RLock(), RLock()
        self._queue: deque[Message] = deque()
        self._queued, self._fragments, self._opcode = 0, [], Opcode.TEXT
        self._changed, self._room = Event(), Event()
        self._over, self._flusher = False, None
        self._reading = self._taking = Pause()  # from when on a flood of frames has kept the worker
        self.code, self.reason, self.fault = ABNORMAL, "", None
        self.heard = self.moved = time.monotonic()  # when the last byte, and the last message, came or went
        sock.settimeout(None)
        self._reader = gevent.spawn(self._read, unread)

    def take(self) -> Message | None:
        """The next message; None when there are no more."""
        if self._queue:
            self._taking()
        while not self._queue:
            if self._over:
                return None
            self._changed.clear()
            self._changed.wait()
            self._taking = Pause()
        message = self._queue.popleft()
        self._queued -= message.weight
        self._room.set()
        return message

    def send(self, message: Message) -> None:
        """Send a message in the same fragments. Raises Gone: then the other side has not got all of it."""
        first, *others = message.fragments
        protocol, last, pause = self._protocol, len(others), Pause()
        try:
            with self._writing:
                begin = protocol.send_text if message.opcode == Opcode.TEXT else protocol.send_binary
                begin(first, fin=not others)
                for number, fragment in enumerate(others, 1):
                    protocol.send_continuation(fragment, fin=number == last)
                    pause()
                self._write()
        except (OSError, InvalidState, ProtocolError):
            raise Gone from None
        self.moved = time.monotonic()
        self._flush_soon()

    def close(self, code: int, reason: str = "") -> None:
        """Close it; 1005: without a code. Nothing where it was closed already. Returns once the socket is closed."""
        with self._closing:
            with suppress(OSError, InvalidState, ProtocolError), gevent.Timeout(CLOSE_SECONDS, False), self._writing:
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close(*() if code == NO_CODE else (code, short(reason)))
                self._write()
            self._room.set()
            self._reader.join(CLOSE_SECONDS)  # the other side answers with a close frame
            self._end()
            self._reader.kill()  # waits: two greenlets may not read one socket
            self._linger()

    def give_up(self) -> None:
        """Treat the connection as broken; whoever waits to send to it gets Gone."""
        self._end()
        self._reader.kill(block=False)
        with suppress(OSError):
            self._shutdown(socket.SHUT_RDWR)

    def tick(self, now: float) -> bool:
        """Ping an end that is silent. Returns False when it has not answered for too long, although it was listened to.

        Does not wait.
        """
        if self._queued > MAX_QUEUED:
            return True
        if now - self.heard > 3 * PING_SECONDS:
            return False
        if now - self.heard > PING_SECONDS / 2:
            with suppress(InvalidState):
                self._protocol.send_ping(b"")
            self._flush_soon()
        return True

    def _read(self, data: bytes) -> None:
        """Receive until the connection ends; ``data``: what was received before."""
        try:
            self._received(data)
            while not self._over:
                if self._queued > MAX_QUEUED:
                    self._room.clear()
                    self._room.wait()
                    self.heard = time.monotonic()
                    continue
                data = self._sock.recv(CHUNK)
                self.heard = time.monotonic()
                if not data:
                    break
                if len(data) < CHUNK:  # it had all been read, so others have run
                    self._reading = Pause()
                self._received(data)
        except OSError:
            pass
        finally:
            self._end()

    def _received(self, data: bytes) -> None:
        for at in range(0, len(data) or 1, STEP):
            if not self._over:
                self._step(data[at : at + STEP])
                self._reading()

    def _step(self, data: bytes) -> None:
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
        if protocol.parser_exc is not None:
            self.fault = protocol.close_sent.code if protocol.close_sent else ABNORMAL
            self._over = True
        self._flush_soon()
        if self._flusher and len(protocol.writes) > MAX_PONGS:
            self._flusher.join()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.opcode != Opcode.CONT:
                self._opcode = frame.opcode
            self._fragments.append(bytes(frame.data))
            if len(self._fragments) > MAX_FRAGMENTS:
                self._protocol.fail(TOO_BIG, "too many fragments")
                self.fault, self._over = TOO_BIG, True
            elif frame.fin:
                self.moved = time.monotonic()
                message, self._fragments = Message(self._opcode, tuple(self._fragments)), []
                self._queue.append(message)
                self._queued += message.weight
                self._changed.set()
        elif frame.opcode == Opcode.CLOSE:
            closed = self._protocol.close_rcvd
            self.code, self.reason, self._over = closed.code, closed.reason, True

    def _write(self) -> None:
        """Send what the library has ready: frames, pongs, the answer to a close frame. For holders of _writing."""
        if data := b"".join(self._protocol.data_to_send()):
            sent = self._sock.send(data)
            if sent < len(data):  # sendall first asks the kernel for the size of its buffer: once a frame is too often
                self._sock.sendall(memoryview(data)[sent:])

    def _flush_soon(self) -> None:
        """Have pongs and the answer to a close frame sent.

        Not by the reader itself: while a long message waits to be sent, the other side may wait for what it sends to be
        read, and would not read before.
        """
        if self._protocol.writes and not self._flusher:  # a greenlet that has ended is false
            self._flusher = gevent.spawn(self._flush)

    def _flush(self) -> None:
        with suppress(OSError):
            while self._protocol.writes:
                with self._writing:
                    self._write()

    def _end(self) -> None:
        self._over = True
        self._changed.set()

    def _linger(self) -> None:
        """Close the socket. A close with unread bytes would make the other side lose what was sent last."""
        with suppress(OSError), gevent.Timeout(CLOSE_SECONDS, False):
            self._shutdown(socket.SHUT_WR)
            while self._sock.recv(CHUNK):
                pass
        self._sock.close()

    def _shutdown(self, how: int) -> None:
        """As socket.shutdown, but a socket with TLS stays one: gevent's would drop TLS under whoever is sending."""
        socket.socket.shutdown(self._sock, how)


def short(reason: str) -> str:
    """A reason that fits into a close frame: at most 123 bytes."""
    return reason.encode()[:123].decode(errors="ignore")
