"""Attacks by an upstream of one's own: answers that take long to read, and answers that lie about what they cost."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import requests
from fake_replies import JSON_TYPE, SSE_TYPE, Reply, reply
from hostile.bodies import calls_of_others, shapes
from hostile.frame import CHAT, Result, Target, attack

MB = 1 << 20
USAGE = '"usage":{"prompt_tokens":1000000,"completion_tokens":900000,"total_tokens":1900000}'
COST = Decimal("11.5")  # of gpt-4o at USAGE: $2.50 and $10 a million tokens
COSTS = "select count(*) as n from public.usage_logs where endpoint = '/v1/responses' and cost is not null"
HEAD = '"model":"gpt-4o-2024-08-06","service_tier":"default"'


def liars(pad: str) -> dict[str, str]:
    """Answers that contradict themselves, each with ``pad`` as its text: no price may be believed."""
    escaped = '"us\\u0061ge":{"prompt_tokens":0}'
    free = '"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}'
    return {
        "usage twice": f'{{{HEAD},{USAGE},"content":"{pad}",{free}}}',
        "usage twice, the second escaped": f'{{{HEAD},{USAGE},"content":"{pad}",{escaped}}}',
        "usage, then null": f'{{{HEAD},{USAGE},"content":"{pad}","usage":null}}',
        "a cheaper model at the end": f'{{{HEAD},{USAGE},"content":"{pad}","model":"gpt-4o-mini"}}',
        "another tier at the end": f'{{{HEAD},{USAGE},"content":"{pad}","service_tier":"flex"}}',
        "a count twice": f'{{{HEAD},"content":"{pad}",{USAGE[:-1]},"prompt_tokens":0}}}}',
        "usage 900 times": f'{{{HEAD},"content":"{pad}",' + ",".join([free] * 900) + "}",
    }


def truths(pad: str) -> dict[str, str]:
    """Answers with other counts where they mean nothing: the answer's own members decide."""
    inner = '{"model":"gpt-4o-mini","usage":{"prompt_tokens":0,"completion_tokens":0},"service_tier":"flex"}'
    return {
        "a model in metadata": f'{{{HEAD},{USAGE},"content":"{pad}","metadata":{inner}}}',
        "the same before the usage": f'{{"metadata":{inner},"content":"{pad}",{HEAD},{USAGE}}}',
        "the same in a text": f'{{{HEAD},{USAGE},"content":{json.dumps(inner + pad)}}}',
        "the same in a list": f'{{{HEAD},{USAGE},"content":"{pad}","choices":[{inner},[{inner}]]}}',
    }


def answered(target: Target, given: Reply, path: str = "/chat/completions") -> Decimal | None:
    """The cost of a call that gets this answer."""
    target.upstream.queue(f"/v1{path}", given)
    return target.stack.row(target.stack.post(path, name="eve", json=CHAT | {"model": "gpt-4o"}))["cost"]


@attack("answers that lie")
def lies(target: Target) -> Result:
    """Small answers, and ones of more than 16 MiB."""
    result = Result()
    for size in (0, 100_000 if target.quick else 17 * MB):
        pad = "x" * size
        for what, text in liars(pad).items():
            held = answered(target, reply(200, [JSON_TYPE], text.encode())) is None
            result.tried(f"{what}, {size} bytes", held=held)
        for what, text in truths(pad).items():
            held = answered(target, reply(200, [JSON_TYPE], text.encode())) == COST
            result.tried(f"{what}, {size} bytes", held=held)
    return result


@attack("answers hard to read")
def hard(target: Target) -> Result:
    """Answers and events that cost most to read; their calls are settled, and calls of others go on meanwhile."""
    result, size = Result(), MB // 4 if target.quick else 4 * MB
    values = shapes(size) | {"usage 900 times, never closed": b"{" + (b'"usage":{"a":[' + b"1," * (size // 1800)) * 900}
    with calls_of_others(target, result):
        for name, value in values.items():
            for what, given in (
                ("an answer", reply(200, [JSON_TYPE], b'{"model":"gpt-4o","usage":' + value + b"}")),
                ("an event", reply(200, [SSE_TYPE], b'data: {"model":"gpt-4o","usage":' + value + b"}\n\n")),
            ):
                with suppress(requests.RequestException):  # only this client waits long
                    result.tried(f"{what} with {name}", held=answered(target, given, "/responses") is None)
    result.tried("all are settled", held=target.all_settled(60))
    result.tried("no cost is believed", held=target.stack.conn.execute(COSTS).fetchone()["n"] == 0)
    return result
