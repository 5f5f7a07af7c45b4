"""Attacks by clients that are slow: heads, bodies and answers that never end; slow but honest clients are served."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from socket import SO_RCVBUF, SOL_SOCKET, create_connection, socket
from typing import NamedTuple

from fake_replies import JSON_TYPE, SSE_TYPE, Wire, reply_sse
from hostile.frame import CHAT, Result, Target, attack, ended

BODY = json.dumps(CHAT).encode()
FORM = "multipart/form-data; boundary=b"
JSON = "application/json"
BIG = b'{"id": "big", "x": "' + b"x" * 30_000_000 + b'"}'


def dribble(socks: list[socket], byte: bytes, stop: threading.Event) -> threading.Thread:
    """Send one byte on each connection every fifth of a second."""

    def run() -> None:
        while not stop.wait(0.2):
            for sock in socks:
                with suppress(OSError):
                    sock.sendall(byte)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


class Hold(NamedTuple):
    """Connections that send ``data`` and then ``byte`` for ever; they must be closed, with such a status if any."""

    what: str
    data: bytes
    byte: bytes = b""
    statuses: bytes = b""

    def run(self, target: Target, result: Result) -> None:
        """Open the connections and wait for their end."""
        times, stop = 20 if target.quick else 200, threading.Event()
        with ExitStack() as opened:
            socks = [opened.enter_context(target.connect(self.data)) for _ in range(times)]
            feeding = dribble(socks, self.byte, stop) if self.byte else None
            for sock in socks:
                got = ended(sock)
                held = got is not None and (not got or got.split(b" ", 2)[1] in self.statuses.split())
                result.tried(self.what, held=held)
            stop.set()
            if feeding:
                feeding.join()


def hold(target: Target, holds: list[Hold]) -> Result:
    """All of them at the same time, while others are served."""
    result = Result()
    with ThreadPoolExecutor(len(holds)) as pool:
        running = [pool.submit(one.run, target, result) for one in holds]
        result.tried("others are served", held=target.serves())
        for each in running:
            each.result()
    return result


@attack("slow heads")
def slow_heads(target: Target) -> Result:
    """Heads that never end."""
    stopped = Hold("a head that stops", b"POST /api/v1/proxy/models HTTP/1.1\r\nX-Slow: ")
    return hold(target, [stopped, Hold("a head that comes byte by byte", b"GET / HTTP/1.1\r\nX-Slow: ", b"x")])


@attack("slow bodies")
def slow_bodies(target: Target) -> Result:
    """Bodies that never end, with keys and without."""
    holds, key = [], target.stack.key()
    for kind, given in (("an invented key", "sk-spend-invented"), ("a key", key)):
        begun = target.head(given, Content_Type=JSON, Content_Length=1000) + b"{"
        holds.append(Hold(f"a body that stops, {kind}", begun, b"", b"408"))
        holds.append(Hold(f"a body that comes byte by byte, {kind}", begun, b" ", b"408"))
    chunked = target.head(key, Content_Type=JSON, Transfer_Encoding="chunked")
    holds.append(Hold("a chunked body", chunked + b"1\r\n{\r\n", b"1\r\n \r\n", b"408"))
    upload = target.head(target.stack.key("eve"), "/audio/transcriptions", Content_Type=FORM, Content_Length=100_000)
    start = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    holds.append(Hold("a form that is streamed", upload + start, b"x", b"408 503"))  # a key has 20 calls
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\n"
    holds.append(Hold("a form for a page", b"POST /login HTTP/1.1\r\nHost: x\r\n" + form, b"a", b"408"))
    result = hold(target, holds)
    result.tried("calls with slow bodies are settled", held=target.all_settled())
    return result


def big(wire: Wire) -> None:
    """An answer of 30 MB."""
    with suppress(OSError):
        wire.head(200, [JSON_TYPE, ("content-length", str(len(BIG)))])
        wire.send(BIG)


@attack("slow readers")
def slow_readers(target: Target) -> Result:
    """Clients that ask for much and read nothing."""
    result, times = Result(), 5 if target.quick else 30
    data = target.head(target.stack.key("eve"), Content_Type=JSON, Content_Length=len(BODY)) + BODY
    with ExitStack() as opened:
        for _ in range(times):
            target.upstream.queue("/v1/chat/completions", big)
            sock = opened.enter_context(create_connection(("127.0.0.1", target.stack.port)))
            sock.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
            sock.sendall(data)
        target.upstream.wait(lambda _: not target.upstream._queues["/v1/chat/completions"])
        result.tried("others are served", held=target.serves())
        result.tried("calls of clients that do not read are settled", held=target.all_settled(), times=times)
    left = target.stack.conn.execute("select count(*) as n from usage_logs where status_code = 499").fetchone()["n"]
    result.tried("they count as clients that left", held=left >= times)
    return result


@attack("slow but honest")
def honest(target: Target) -> Result:
    """Clients that are slow for a good reason: none of them may be given up."""
    result, key = Result(), target.stack.key()
    events = [b"data: {}\n\n"] * 15
    target.upstream.queue("/v1/chat/completions", reply_sse(events, delay=0.3, headers=[SSE_TYPE]))
    got = target.stack.post(json=CHAT | {"stream": True, "stream_options": {"include_usage": True}}, stream=True)
    result.tried("a stream with an event now and then", held=b"".join(got.iter_content(1)) == b"".join(events))
    padded = BODY + b" " * 8000
    with target.connect(target.head(key, Content_Type=JSON, Content_Length=len(padded))) as sock:
        for start in range(0, len(padded), 400):  # 2,000 bytes a second, for longer than CLIENT_SECONDS
            sock.sendall(padded[start : start + 400])
            threading.Event().wait(0.2)
        result.tried("a body on a slow line", held=sock.recv(65536).startswith(b"HTTP/1.1 200 "))
    return result
