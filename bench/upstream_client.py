"""What does the own HTTP client gain? CPU of one call beside http.client, urllib3 and requests, all on gevent.

    python bench/upstream_client.py [rounds]

A server in another process answers a chat completion of 1 kB, or streams 50 events a millisecond apart. Microseconds of
this process' CPU for a call, and for an event of a stream: medians of the rounds, in which the clients take turns.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.argv[1:] != ["serve"]:  # the server needs threads, and every client is measured as the gateway would run it
    from gevent import monkey

    monkey.patch_all()
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import http.client
import json
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import requests
import urllib3

from webapp.upstream.client import Client, Request

CALLS, STREAMS, EVENTS = 200, 5, 50  # calls and streams of one round, events of a stream
BODY = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello " * 50}]}).encode()
SENT = [("Content-Type", "application/json"), ("Authorization", "Bearer sk-x"), ("Accept-Encoding", "identity")]
SHOWN = "".join(f"x-ratelimit-{n}: {n}000\r\n" for n in range(6)) + "openai-version: 2020-10-01\r\n"
ANSWER = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{SHOWN}Content-Length: 1000\r\n\r\n".encode()
ANSWER += b"x" * 1000
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{SHOWN}Transfer-Encoding: chunked\r\n\r\n".encode()
EVENT = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
Call = Callable[[str], Iterator[bytes]]  # path → pieces of the answer as they come


def serve() -> None:
    """Print the port, then answer until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=_answer, args=(listener.accept()[0],), daemon=True).start()


def _answer(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    got = b""
    while data := sock.recv(65536):
        got += data
        if not got.endswith(BODY):
            continue
        if got.startswith(b"POST /v1/stream"):
            sock.sendall(HEAD)
            for _ in range(EVENTS):
                time.sleep(0.001)
                sock.sendall(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
            sock.sendall(b"0\r\n\r\n")
        else:
            sock.sendall(ANSWER)
        got = b""


def clients(port: int) -> dict[str, Call]:
    """Name of each of the four clients → a function that makes one call with it, over a connection that is kept."""
    base, headers = f"http://127.0.0.1:{port}", dict(SENT)
    own, plain = Client(5, 60), http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    pool, session = urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=60), requests.Session()
    session.trust_env = False

    def call_own(path: str) -> Iterator[bytes]:
        answer = own.send(f"{base}/v1", Request("POST", path, SENT, BODY, len(BODY)))
        yield from answer.chunks
        answer.close()

    def call_plain(path: str) -> Iterator[bytes]:
        plain.request("POST", f"/v1{path}", BODY, headers)
        answer = plain.getresponse()
        while piece := answer.read1(65536):
            yield piece
        answer.close()

    def call_urllib3(path: str) -> Iterator[bytes]:
        answer = pool.urlopen("POST", f"/v1{path}", BODY, headers, retries=False, preload_content=False)
        yield from answer.stream(65536)
        answer.release_conn()

    def call_requests(path: str) -> Iterator[bytes]:
        answer = session.post(f"{base}/v1{path}", BODY, headers=headers, stream=True, timeout=60)
        yield from answer.iter_content(None)
        answer.close()

    return {"own": call_own, "http.client": call_plain, "urllib3": call_urllib3, "requests": call_requests}


def cpu_us(call: Call, path: str, times: int, size: int) -> float:
    """Microseconds of CPU for one call: the mean of ``times`` calls."""
    begun = time.process_time()
    for _ in range(times):
        assert sum(map(len, call(path))) == size
    return (time.process_time() - begun) / times * 1e6


def main(rounds: int) -> None:
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        calls = clients(int(server.stdout.readline()))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
        for _ in range(rounds + 1):
            for name, call in calls.items():
                whole = cpu_us(call, "/chat", CALLS, 1000)
                taken[name].append((whole, cpu_us(call, "/stream", STREAMS, EVENTS * len(EVENT)) / EVENTS))
    finally:
        server.terminate()
    for name, pairs in taken.items():
        whole, event = (statistics.median(column) for column in zip(*pairs[1:], strict=True))  # without the warm-up
        print(f"{name:12} {whole:6.0f} µs a call {event:6.1f} µs an event")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main(int((sys.argv[1:] or ["15"])[0]))
