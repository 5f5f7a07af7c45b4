"""Attacks by bodies: large ones of strangers, which nobody may hold in memory, and ones that are hard to parse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import requests
from fake_replies import reply_json
from hostile.frame import CHAT, Result, Target, attack, ended
from stack import Stack

MB = 1 << 20
JSON = "application/json"


def shapes(size: int) -> dict[str, bytes]:
    """Values of about ``size`` bytes, each hard for some way of reading JSON."""
    return {
        "a string": b'"' + b"A" * size + b'"',
        "escapes": b'"' + b"\\u0041" * (size // 6) + b'"',
        "backslashes": b'"' + b"\\\\" * (size // 2) + b'"',
        "brackets": b"[" * size,
        "nested objects": b'{"a":' * (size // 5),
        "numbers": b"[" + b"1," * (size // 2) + b"1]",
        "empty lists": b"[" + b"[]," * (size // 3) + b"1]",
        "small objects": b"[" + b'{"a":1},' * (size // 8) + b"1]",
        "empty strings": b"[" + b'"",' * (size // 3) + b"1]",
        "one key many times": b"{" + b'"usage":1,' * (size // 10) + b'"z":1}',
        "many keys": b"{" + b",".join(b'"k%07d":1' % n for n in range(size // 12)) + b"}",
        "a number": b"1" * size,
        "space": b" " * size + b"1",
    }


@contextmanager
def calls_of_others(target: Target, result: Result) -> Iterator[None]:
    """Another organization makes one call after the other meanwhile; each must get its answer."""
    stop = Event()

    def run() -> None:
        while True:
            result.tried("calls of others meanwhile", held=target.serves(times=1))
            if stop.wait(0.05):
                return

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield
        finally:
            stop.set()
            running.result()


def memory(stack: Stack) -> int:
    """Bytes of memory that no other process shares with the workers, of all together; 0 where it cannot be read."""
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children")
    if not children.exists():  # macOS
        return 0
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children.read_text().split()]
    return 4096 * sum(pages)


@attack("large bodies")
def large_bodies(target: Target) -> Result:
    """Strangers send the beginning of 64 MB each; they are refused before the workers have more than a piece of it."""
    result, wanted = Result(), 10 if target.quick else 200
    for kind, framing in (("sized", {"Content_Length": 64_000_000}), ("chunked", {"Transfer_Encoding": "chunked"})):
        before = memory(target.stack)
        with calls_of_others(target, result), ThreadPoolExecutor(10) as pool:
            data = target.head("sk-spend-invented", Content_Type=JSON, **framing)
            data += (b"%x\r\n" % MB if kind == "chunked" else b"") + b"[" * MB

            def stranger(_: int, data: bytes = data) -> bytes | None:
                try:
                    with target.connect(data) as sock:
                        return ended(sock)
                except OSError:  # refused while it was still sending
                    return b""

            for got in pool.map(stranger, range(wanted)):
                held = got is not None and (not got or got.startswith(b"HTTP/1.1 401 "))
                result.tried(f"a large body with an invented key, {kind}", held=held)
        result.tried(f"memory for bodies of strangers, {kind}", held=memory(target.stack) - before < 64 * MB)
    return result


@attack("bodies hard to parse")
def hard_to_parse(target: Target) -> Result:
    """A customer sends JSON that is hard to read; its calls end, and calls of others go on meanwhile."""
    result = Result()
    forms = (b'{"model":"gpt-4o-mini","input":%s}', b'{"metadata":%s,"model":"gpt-4o-mini"}')
    with calls_of_others(target, result):
        for name, value in shapes(MB // 4 if target.quick else 4 * MB).items():
            for form in forms[:1] if target.quick else forms:
                body, held = form.replace(b"%s", value), True
                with suppress(
                    requests.RequestException
                ):  # refused while it was being sent; or only this client waits long
                    target.upstream.queue("/v1/responses", reply_json({"model": "gpt-4o-mini"}))  # which reads nothing
                    answer = target.stack.post("/responses", name="eve", data=body, headers={"Content-Type": JSON})
                    held = answer.status_code in (200, 400, 413)
                result.tried(f"a body of {name}", held=held)
    result.tried("all are settled", held=target.all_settled(60))
    target.upstream._queues["/v1/responses"].clear()
    return result


@attack("tags hard to read")
def hard_tags(target: Target) -> Result:
    """The header with tags, as large as a header may be."""
    result = Result()
    for name, value in shapes(7000).items():
        for header in (value, b'{"a":' + value + b"}"):
            answer = target.stack.post(name="eve", json=CHAT, headers={"x-spendai-tags": header.strip()})
            row, said = target.stack.row(answer), answer.headers.get("x-spendai-warning", "")
            held = answer.status_code == 200 and len(row["tags"]) <= 16 and len(json.dumps(row["tags"])) < 4096
            result.tried(
                f"tags of {name}", held=held and len(said) < 800 and said.isascii() and said == (row["warning"] or "")
            )
    return result
