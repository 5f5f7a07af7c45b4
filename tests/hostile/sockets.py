"""Attacks over WebSocket: by clients, with keys and without, and by an upstream of one's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from socket import SHUT_WR, SO_RCVBUF, SOL_SOCKET, socket

from fake_socket import ServerConnection
from hostile.answers import MB
from hostile.bodies import calls_of_others, memory, shapes
from hostile.frame import Result, Target, attack, ended
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

RESPONSES = "/responses"
LIMIT = 33_554_432  # WEBSOCKET_MESSAGE_BYTES
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
           "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
CREATE = b'{"type":"response.create","model":"gpt-4o-mini","input":'
DONE = ('{"type":"response.completed","response":{"id":"resp_1","object":"response","model":"gpt-4o-mini",'
        '"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}')  # fmt: skip


def asked(target: Target, key: str) -> bytes:
    """The head of an upgrade with a SpendAI key."""
    return target.head(key, RESPONSES, **UPGRADE).replace(b"POST", b"GET", 1)


def hears(ws: ServerConnection) -> None:
    """An upstream that reads and says nothing."""
    for _ in ws:
        pass


@contextmanager
def session(target: Target, name: str = "eve") -> Iterator[ClientConnection]:
    """A session of the library's client; what it says at its end is not looked at."""
    url = target.stack.proxy.replace("http", "ws") + RESPONSES
    headers = {"Authorization": f"Bearer {target.stack.key(name)}"}
    ws = connect(url, additional_headers=headers, compression=None, max_size=None, ping_interval=None, close_timeout=5)
    with suppress(WebSocketException, OSError), ws:
        yield ws


def upgraded(target: Target) -> socket:
    """The socket of a session, after the upgrade."""
    sock = target.connect(asked(target, target.stack.key("eve")))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (data := sock.recv(1)):
            raise ConnectionError(head)
        head += data
    assert head.startswith(b"HTTP/1.1 101 "), head
    return sock


def close_code(sock: socket) -> int | None:
    """Read to the close frame; its code. None when the connection ends without one, or nothing comes any more."""
    data = b""
    with suppress(OSError):
        while piece := sock.recv(65536):
            data = (data + piece)[-200:]
    at = data.rfind(b"\x88")
    return int.from_bytes(data[at + 2 : at + 4]) if at >= 0 else None


def sessions_end(target: Target) -> bool:
    """Whether all sessions are over, and all calls in them settled."""
    query = "select count(*) as n from public.websocket_sessions where ended_at is null"
    with suppress(AssertionError):
        return target.stack.wait_for(lambda: target.stack.conn.execute(query).fetchone()["n"] == 0, 30) and (
            target.all_settled()
        )
    return False


@attack("upgrades")
def upgrades(target: Target) -> Result:
    """Strangers ask for many sessions; none of them reaches OpenAI, nor leaves a row."""
    result, wanted = Result(), 50 if target.quick else 2_000
    before, got_before = target.stack.count(), len(target.upstream.requests)
    count = "select count(*) as n from public.websocket_sessions"
    rows = target.stack.conn.execute(count).fetchone()["n"]
    heads = [asked(target, "sk-spend-invented"), asked(target, "").replace(b"Authorization: Bearer \r\n", b"")]

    def stranger(number: int) -> bytes | None:
        with suppress(OSError), target.connect(heads[number % len(heads)]) as sock:
            return ended(sock)
        return b""

    with ThreadPoolExecutor(20) as pool:
        for got in pool.map(stranger, range(wanted)):
            result.tried("an upgrade without a key", held=got is not None and b" 401 " in got[:20])
    reached = [each for each in target.upstream.requests[got_before:] if each.header("upgrade")]
    same = target.stack.conn.execute(count).fetchone()["n"] == rows and target.stack.count() == before
    result.tried("they leave nothing", held=same and not reached)
    result.tried("others are served", held=target.serves())
    return result


@attack("sessions nobody reads")
def unread(target: Target) -> Result:
    """Clients that never read while OpenAI sends: it has to wait, so that the worker holds little of it."""
    result, times, told = Result(), 3 if target.quick else 15, []
    text = json.dumps({"type": "response.output_text.delta", "delta": "x" * 100_000})

    def floods(ws: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for _ in range(1000):  # 100 MB
                ws.send(text)
        told.append(1)

    before = memory(target.stack)
    target.upstream.script("/v1" + RESPONSES, *[floods] * times)
    with ExitStack() as opened, calls_of_others(target, result):
        socks = []
        for _ in range(times):
            socks.append(opened.enter_context(upgraded(target)))
            socks[-1].setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        result.tried("others are served", held=target.serves(times=20))
        grown = memory(target.stack) - before
        result.tried(f"{grown >> 20} MB for {times} sessions", held=grown < (20 + 6 * times) * MB, times=times)
        result.tried("OpenAI has to wait", held=not told)
    result.tried("the sessions end with their clients", held=sessions_end(target), times=times)
    return result


def floods(count: int) -> dict[str, bytes]:
    """Frames of a client that cost more than they weigh."""
    key = b"\x01\x02\x03\x04"
    return {
        "pings": (b"\x89\x80" + key) * count,
        "pongs": (b"\x8a\x80" + key) * count,
        "empty messages": (b"\x81\x80" + key) * count,
        "empty fragments": b"\x01\x80" + key + (b"\x00\x80" + key) * count,
        "fragments of one byte": b"\x01\x80" + key + (b"\x00\x81" + key + b"a") * count,
    }


@attack("floods of frames")
def flood(target: Target) -> Result:
    """Many small frames: others are served meanwhile, and the worker keeps none of them."""
    result, count = Result(), 5_000 if target.quick else 200_000
    for what, data in floods(count).items():
        target.upstream.script("/v1" + RESPONSES, hears)
        before = memory(target.stack)
        with calls_of_others(target, result), upgraded(target) as sock:
            reader = threading.Thread(target=close_code, args=(sock,), daemon=True)
            reader.start()
            with suppress(OSError):  # closed by SpendAI
                sock.sendall(data)
                sock.shutdown(SHUT_WR)
            reader.join(60)
            result.tried(f"{count} {what}", held=not reader.is_alive(), times=count)
        grown = memory(target.stack) - before
        result.tried(f"{grown >> 20} MB for {what}", held=grown < 64 * MB)
    result.tried("the sessions end", held=sessions_end(target))
    return result


@attack("frames byte by byte")
def dribbled(target: Target) -> Result:
    """Clients that send a message a byte at a time: it arrives, and others are served."""
    result, times = Result(), 5 if target.quick else 50
    message = Frame(Opcode.TEXT, CREATE + b'"hi"}').serialize(mask=True)

    def answers(ws: ServerConnection) -> None:
        ws.recv()
        ws.send(DONE)
        hears(ws)

    target.upstream.script("/v1" + RESPONSES, *[answers] * times)
    with ExitStack() as opened, calls_of_others(target, result):
        socks = [opened.enter_context(upgraded(target)) for _ in range(min(times, 10))]
        for at in range(len(message)):
            for sock in socks:
                sock.sendall(message[at : at + 1])
        for sock in socks:
            result.tried("a message byte by byte", held=DONE.encode()[:40] in sock.recv(65536))
    target.upstream._scripts.clear()
    result.tried("the sessions end", held=sessions_end(target))
    return result


@attack("large frames")
def large(target: Target) -> Result:
    """Frames of a customer as large as they may be, or a byte larger, or hard to read; others are served meanwhile."""
    result, size = Result(), MB // 4 if target.quick else 20 * MB
    with calls_of_others(target, result):
        for extra in (0, 1):
            target.upstream.script("/v1" + RESPONSES, hears)
            with upgraded(target) as sock:
                head = b"\x82\xff" + (LIMIT + extra).to_bytes(8) + b"\0\0\0\0"
                with suppress(OSError):
                    sock.sendall(head + bytes(0 if extra else LIMIT))
                sock.shutdown(SHUT_WR)
                code = close_code(sock)
            result.tried(f"a frame of {extra} bytes too many: {code}", held=(code == 1009) == bool(extra))
        with ExitStack() as opened:
            for value in shapes(size).values():
                target.upstream.script("/v1" + RESPONSES, hears)
                sock = opened.enter_context(upgraded(target))
                sock.sendall(Frame(Opcode.TEXT, CREATE + value + b"}").serialize(mask=True))
        result.tried("they are read to their end", held=sessions_end(target), times=len(shapes(10)))
    return result


@attack("hostile upstreams")
def upstreams(target: Target) -> Result:
    """An upstream of one's own sends what is too large, hard to read, or no frames at all."""
    result, size = Result(), MB // 4 if target.quick else 20 * MB

    def sends(data: bytes) -> None:
        def run(ws: ServerConnection) -> None:
            with suppress(OSError):
                ws.socket.sendall(data)
            hears(ws)

        target.upstream.script("/v1" + RESPONSES, run)
        with upgraded(target) as sock:
            codes.append(close_code(sock))

    def event(value: bytes) -> str:
        return f'{{"type":"response.completed","x":{value.decode()}}}'

    with calls_of_others(target, result):
        for what, data in {
            "a frame of 100 MB": b"\x82\x7f" + (100 * MB).to_bytes(8) + bytes(MB),
            "garbage": b"\xff" * 4096,
            "HTTP": b"HTTP/1.1 200 OK\r\n\r\n" * 10,
            "masked frames": Frame(Opcode.TEXT, b"hi").serialize(mask=True),
        }.items():
            codes: list[int | None] = []
            sends(data)
            result.tried(f"{what}: {codes[0]}", held=codes == [1011])
        for value in shapes(size).values():
            target.upstream.script("/v1" + RESPONSES, partial(ServerConnection.send, message=event(value)))
            with suppress(OSError, WebSocketException), session(target) as ws:
                for _ in ws:
                    pass
        result.tried("their sessions end", held=sessions_end(target))
    return result
