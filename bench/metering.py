"""What do the parsers in webapp/metering gain over the obvious way? `.venv/bin/python bench/metering.py`

Each pair does the same work on the same input, in one process. Times are the processor's, in the best of several runs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from webapp.metering import Meter, RequestFacts
from webapp.metering.jsonwalk import parse
from webapp.metering.request import ask_for_usage

RUNS = 200
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
USAGE = {
    "prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1024}, "completion_tokens_details": {"reasoning_tokens": 64},
}  # fmt: skip
WORD = {"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion.chunk", "created": 1741569952,
        "model": "gpt-4o-mini-2024-07-18", "service_tier": "default", "system_fingerprint": "fp_b8bc95a0ac",
        "choices": [{"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None}],
        "usage": None, "obfuscation": "a1B2c3D4"}  # fmt: skip
PROMPT = {"model": "gpt-4o-mini", "stream": True, "temperature": 0.7,
          "messages": [{"role": "user", "content": "Grüße 👋 \n" * 20} for _ in range(60)]}  # fmt: skip


def packed(value: Any) -> bytes:
    """JSON as OpenAI writes it in streams."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def chat_stream(words: int) -> list[bytes]:
    """A streamed chat completion, one event per chunk."""
    events = [packed(WORD)] * words + [packed(WORD | {"choices": [], "usage": USAGE}), b"[DONE]"]
    return [b"data: " + event + b"\n\n" for event in events]


def response_stream(words: int) -> list[bytes]:
    """A streamed response: small deltas, then the whole answer once more."""
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0,
             "delta": " word", "sequence_number": 7, "logprobs": [], "obfuscation": "a1B2c3D4"}  # fmt: skip
    whole = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-4o-mini-2024-07-18",
             "output": [{"type": "message", "content": [{"type": "output_text", "text": " word" * words}]}],
             "usage": {"input_tokens": 1200, "output_tokens": 300, "total_tokens": 1500}}  # fmt: skip
    end = {"type": "response.completed", "response": whole}
    events = [delta] * words + [end]
    return [f"event: {event['type']}\ndata: ".encode() + packed(event) + b"\n\n" for event in events]


def embeddings(count: int) -> bytes:
    """An embeddings answer: long lists of numbers, the usage at its end."""
    vector = [-0.006929283495992422 + n / 1e9 for n in range(1536)]
    data = [{"object": "embedding", "index": n, "embedding": vector} for n in range(count)]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return json.dumps({"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}).encode()


def metered(endpoint: str, chunks: Iterable[bytes], kind: str = "text/event-stream") -> dict[str, Any] | None:
    """The usage that the meter reads while the chunks pass."""
    meter = Meter(endpoint, "POST", RequestFacts(), 200, kind, "")
    for chunk in chunks:
        meter.feed(chunk)
        if meter.terminal:
            break
    meter.finish()
    return meter.result(complete=True).usage


def by_lines(chunks: Iterable[bytes]) -> dict[str, Any] | None:
    """The usage, read the obvious way: cut at empty lines, split into lines, json.loads of every event."""
    usage, rest, out = None, b"", []
    for chunk in chunks:
        *events, rest = (rest + chunk).split(b"\n\n")
        for event in events:
            for line in event.splitlines():
                if line.startswith(b"data: ") and line != b"data: [DONE]":
                    value = json.loads(line[6:])
                    usage = value.get("usage") or (value.get("response") or {}).get("usage") or usage
            out.append(event + b"\n\n")
    return usage


def edited_by_dumps(body: bytes) -> bytes:
    """A request edited to ask for its usage with json.loads and json.dumps, which change other bytes too."""
    fields = json.loads(body)
    fields["stream_options"] = {**(fields.get("stream_options") or {}), "include_usage": True}
    return json.dumps(fields).encode()


def best(*works: Callable[[], Any]) -> list[float]:
    """Microseconds of CPU that each work takes in its best run. They take turns, so that other load hits all."""
    found = [float("inf")] * len(works)
    for _ in range(RUNS):
        for n, work in enumerate(works):
            began = time.thread_time()
            work()
            found[n] = min(found[n], (time.thread_time() - began) * 1e6)
    return found


def main() -> None:
    """Print the table."""
    chat, response, vectors, prompt = chat_stream(1000), response_stream(1000), embeddings(20), packed(PROMPT)
    answer = packed(WORD | {"choices": [{"message": {"content": "word " * 1000}}], "usage": USAGE})
    rows = [
        ("sse.py, stream.py: 1,000 chat events", lambda: metered(CHAT, chat), lambda: by_lines(chat)),
        ("sse.py, stream.py: 1,000 response events", lambda: metered(RESPONSES, response), lambda: by_lines(response)),
        (f"plain.py: embeddings, {len(vectors):,} bytes",
         lambda: metered(EMBEDDINGS, [vectors], "application/json"), lambda: json.loads(vectors)),
        (f"jsonwalk.parse: an answer, {len(answer):,} bytes", lambda: parse(answer), lambda: json.loads(answer)),
        (f"jsonwalk.document: one edit in {len(prompt):,} bytes",
         lambda: ask_for_usage(prompt.decode()).encode(), lambda: edited_by_dumps(prompt)),
    ]  # fmt: skip
    assert metered(CHAT, chat)["prompt_tokens"] == by_lines(chat)["prompt_tokens"] == 1200
    assert metered(RESPONSES, response)["input_tokens"] == by_lines(response)["input_tokens"] == 1200
    print("| Work | own, µs | obvious, µs | own / obvious |\n|---|---:|---:|---:|")
    for name, own, obvious in rows:
        one, other = best(own, obvious)
        print(f"| {name} | {one:,.0f} | {other:,.0f} | {one / other:.2f} |")


if __name__ == "__main__":
    main()
