"""One end of a WebSocket: reads whole messages from a socket, writes messages to it, answers pings at once."""

from __future__ import annotations

import socket
import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple

import gevent
from gevent.event import Event
from gevent.lock import RLock
from websockets.exceptions import InvalidState, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, State

CHUNK = 65536
MAX_QUEUED = 1 << 20  # bytes that were received and not yet taken; then nothing more is read, so the sender has to wait
PING_SECONDS = 20  # an end that was silent for so long is pinged; after three times as long it is given up
CLOSE_SECONDS = 2  # longest wait for the other side to close the connection too
GONE, ABNORMAL, NO_CODE = 1001, 1006, 1005


class Message(NamedTuple):
    """A message as it was sent: text or binary, in one or more fragments."""

    opcode: Opcode
    fragments: tuple[bytes, ...]

    @property
    def data(self) -> bytes:
        """The whole message."""
        return self.fragments[0] if len(self.fragments) == 1 else b"".join(self.fragments)

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
        self._sock, self._protocol, self._writing = sock, protocol, RLock()
        self._queue: deque[Message] = deque()
        self._queued, self._fragments, self._opcode = 0, [], Opcode.TEXT
        self._changed, self._room = Event(), Event()
        self._over = False
        self.code, self.reason, self.fault = ABNORMAL, "", None
        self.heard = self.moved = time.monotonic()  # when the last byte, and the last message, came or went
        sock.settimeout(None)
        self._reader = gevent.spawn(self._read, unread)

    def take(self) -> Message | None:
        """The next message; None when there are no more."""
        while not self._queue:
            if self._over:
                return None
            self._changed.clear()
            self._changed.wait()
        message = self._queue.popleft()
        self._queued -= sum(map(len, message.fragments))
        self._room.set()
        return message

    def send(self, message: Message) -> None:
        """Send a message in the same fragments. Raises Gone."""
        first, *others = message.fragments
        protocol, last = self._protocol, len(others)
        try:
            with self._writing:
                begin = protocol.send_text if message.opcode == Opcode.TEXT else protocol.send_binary
                begin(first, fin=not others)
                for number, fragment in enumerate(others, 1):
                    protocol.send_continuation(fragment, fin=number == last)
                self._write()
        except (OSError, InvalidState, ProtocolError):
            raise Gone from None
        self.moved = time.monotonic()

    def close(self, code: int, reason: str = "") -> None:
        """Close it; 1005: without a code. Nothing where it was closed already. Returns once the socket is closed."""
        with suppress(OSError, InvalidState, ProtocolError), gevent.Timeout(CLOSE_SECONDS, False), self._writing:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(*() if code == NO_CODE else (code, short(reason)))
                self._write()
        self._room.set()
        self._reader.join(CLOSE_SECONDS)  # the other side answers with a close frame
        self._end()
        self._reader.kill(block=False)
        self._linger()

    def give_up(self) -> None:
        """Treat the connection as broken."""
        self._end()
        self._reader.kill(block=False)

    def tick(self, now: float) -> bool:
        """Ping an end that is silent. Returns False when it has not answered for too long."""
        if now - self.heard > 3 * PING_SECONDS:
            return False
        if now - self.heard > PING_SECONDS / 2:
            gevent.spawn(self._ping)
        return True

    def _ping(self) -> None:
        with suppress(OSError, InvalidState), self._writing:
            self._protocol.send_ping(b"")
            self._write()

    def _read(self, data: bytes) -> None:
        """Receive until the connection ends; ``data``: what was received before."""
        try:
            self._received(data)
            while not self._over:
                if self._queued > MAX_QUEUED:
                    self._room.clear()
                    self._room.wait()
                    continue
                data = self._sock.recv(CHUNK)
                self.heard = time.monotonic()
                if not data:
                    break
                self._received(data)
        except OSError:
            pass
        finally:
            self._end()

    def _received(self, data: bytes) -> None:
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
        if protocol.parser_exc is not None:
            self.fault = protocol.close_sent.code if protocol.close_sent else ABNORMAL
            self._over = True
        with self._writing:
            self._write()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.opcode != Opcode.CONT:
                self._opcode = frame.opcode
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                self.moved = time.monotonic()
                message, self._fragments = Message(self._opcode, tuple(self._fragments)), []
                self._queue.append(message)
                self._queued += sum(map(len, message.fragments))
                self._changed.set()
        elif frame.opcode == Opcode.CLOSE:
            closed = self._protocol.close_rcvd
            self.code, self.reason, self._over = closed.code, closed.reason, True

    def _write(self) -> None:
        """Send what the library has ready: frames, pongs, the answer to a close frame."""
        for data in self._protocol.data_to_send():
            sent = self._sock.send(data) if data else 0
            if sent < len(data):  # sendall first asks the kernel for the size of its buffer: once a frame is too often
                self._sock.sendall(memoryview(data)[sent:])

    def _end(self) -> None:
        self._over = True
        self._changed.set()

    def _linger(self) -> None:
        """Close the socket. A close with unread bytes would make the other side lose what was sent last."""
        with suppress(OSError), gevent.Timeout(CLOSE_SECONDS, False):
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(CHUNK):
                pass
        self._sock.close()


def short(reason: str) -> str:
    """A reason that fits into a close frame: at most 123 bytes."""
    return reason.encode()[:123].decode(errors="ignore")
