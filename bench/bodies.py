"""Do large bodies hold up others? 50 streams go on while bodies of 60 MB are sent: added time of their events.

    .venv/bin/python -m bench.bodies

The upstream writes the time into each event, so the added time is that from its write to the client's read. First
without large bodies, then beside each kind: base64 images with a valid key, hostile JSON with a valid key, and 64 MB
with an invented key. Times in ms; prints Markdown, with the gateway's peak memory while the bodies passed.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
from gevent import socket as green
from gevent.server import StreamServer

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / folder) for folder in ("", "tests", "tests/webapp")]

from bench.spendai import SpendAI  # noqa: E402

STREAMS, EVENTS, PAUSE, BODIES = 50, 200, 0.05, 1
START = 2  # seconds in which all streams begin, not counted
SIZE = 60_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
JSON = b'{"object":"chat.completion","model":"gpt-4o-mini","usage":{"prompt_tokens":1,"completion_tokens":1}}'


def images() -> bytes:
    part = b'{"type":"image_url","image_url":{"url":"data:image/png;base64,%s"}}' % (b"iVBORw0KGgo" * (SIZE // 110))
    return b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":[%s]}]}' % b",".join([part] * 10)


KINDS = {
    "images": images,
    "lists": lambda: b'{"model":"m","x":[%s1]}' % (b"[]," * (SIZE // 3)),
    "numbers": lambda: b'{"model":"m","x":[%s1]}' % (b"1," * (SIZE // 2)),
    "objects in a list": lambda: b'{"model":"m","x":[%s1]}' % (b'{"a":1},' * (SIZE // 8)),
    "an invented key": lambda: b"[" * SIZE,
}


def upstream() -> None:
    """Answer streams with events that tell when they were written, everything else with JSON."""

    def serve(sock: Any, address: Any) -> None:
        file = sock.makefile("rb")
        while line := file.readline():
            length = 0
            while (line := file.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            body = file.read(min(length, 4096))
            while (length := length - 65536) > -65536 and length > 0:
                file.read(min(length, 65536))
            if b'"stream":true' not in body:
                file.read(max(0, length))
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
                sock.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(JSON), JSON))
                gevent.sleep(1)
                return
            sock.sendall(HEAD)
            for _ in range(EVENTS):
                event = b'data: {"at":%.6f,"choices":[{}]}\n\n' % time.monotonic()
                sock.sendall(b"%X\r\n%s\r\n" % (len(event), event))
                gevent.sleep(PAUSE)
            sock.sendall(b"E\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    print(server.server_port, flush=True)
    server.serve_forever()


def send(port: int, key: str, kind: str) -> None:
    """Send large bodies, one after another; each must be answered."""
    body = KINDS[kind]()
    for _ in range(BODIES):
        with socket.create_connection(("127.0.0.1", port), timeout=300) as sock:
            head = f"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            sock.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            begin = time.monotonic()
            with suppress(OSError):
                sock.sendall(body)
            answer = sock.recv(65536).split(b"\r\n")[0].decode()
            print(f"{answer} after {time.monotonic() - begin:.1f} s", flush=True)


def streams(port: int, key: str) -> list[float]:
    """Read all streams; returns the added time of each event, in ms."""
    late: list[float] = []
    begin = time.monotonic()
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": []}, separators=(",", ":")).encode()

    def read() -> None:
        with green.create_connection(("127.0.0.1", port), timeout=120) as sock:
            head = f"POST /api/v1/proxy/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            sock.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            for line in sock.makefile("rb"):
                if line.startswith(b'data: {"at":') and time.monotonic() > begin + START:
                    late.append((time.monotonic() - float(line[12:].split(b",")[0])) * 1000)
                if line.startswith(b"data: [DONE]"):
                    return

    gevent.joinall([gevent.spawn(read) for _ in range(STREAMS)], raise_error=True)
    return sorted(late)


def peak(system: SpendAI) -> str:
    """The most memory that each process of the gateway had so far, in MB."""
    found = []
    for pid in system.product.gateway():
        status = Path(f"/proc/{pid}/status").read_text()
        found.append(int(status.partition("VmHWM:")[2].split()[0]) >> 10)
    return " ".join(map(str, found))


def main() -> None:
    """Print the table."""
    with subprocess.Popen([sys.executable, __file__, "upstream"], stdout=subprocess.PIPE, text=True) as source:
        system = SpendAI(int(source.stdout.readline()), Path(tempfile.mkdtemp()))
        try:
            system.start()
            key = system.headers["Authorization"].split()[1]
            print("| Beside | p50 | p99 | most | peak so far of each process, MB | answers |")
            print("|---|---:|---:|---:|---:|---|")
            for kind in sys.argv[1:] or ("nothing", *KINDS):
                arguments = [str(system.port), "sk-spend-none" if "key" in kind else key, kind]
                begun = kind != "nothing"
                sender = begun and subprocess.Popen(
                    [sys.executable, __file__, "send", *arguments], stdout=subprocess.PIPE, text=True
                )
                reading = gevent.spawn(streams, system.port, key)
                late = reading.get()
                answers = "; ".join(sender.communicate()[0].split("\n")) if begun else ""
                p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
                print(
                    f"| {kind} | {p50:.1f} | {p99:.1f} | {late[-1]:.1f} | {peak(system)} | {answers} |",
                    flush=True,
                )
        finally:
            system.stop()
            source.terminate()


if __name__ == "__main__":
    {"upstream": upstream, "send": lambda: send(int(sys.argv[2]), *sys.argv[3:])}.get((sys.argv[1:] or [""])[0], main)()
