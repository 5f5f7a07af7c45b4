"""Attacks by a base URL that leads back to SpendAI: directly, through a proxy, through one that drops the mark."""

from __future__ import annotations

import requests
from fake_replies import Reply, reply
from fake_upstream import FakeUpstream, Request
from hostile.frame import CHAT, Result, Target, attack

MARK = "x-spendai-via"


def relay(to: str, *, drops: bool) -> FakeUpstream:
    """A reverse proxy in front of the gateway; ``drops``: it passes on no header that it does not know."""

    def forward(request: Request) -> Reply:
        names = ("authorization", "content-type", *(() if drops else (MARK,)))
        headers = {name: value for name in names if (value := request.header(name))}
        answer = requests.post(to + request.target.removeprefix("/v1"), request.body, headers=headers, timeout=30)
        return reply(answer.status_code, [("content-type", "application/json")], answer.content)

    return FakeUpstream(forward)


def looped(target: Target, base_url: str) -> tuple[int, int, int]:
    """Status, number of rows, and number of calls not settled that one call leaves when a base URL leads here.

    The organization's OpenAI key is its own SpendAI key, so that the loop goes on for ever if nothing ends it.
    """
    name, before = target.bring(base_url), target.stack.count()
    answer = target.stack.post(name=name, json=CHAT)
    return answer.status_code, target.stack.count() - before, target.open_calls()


@attack("loops")
def loops(target: Target) -> Result:
    """One call is to become endless ones."""
    result, proxy = Result(), target.stack.proxy
    result.tried("a base URL that is the proxy itself", held=looped(target, proxy) == (508, 1, 0))
    with relay(proxy, drops=False) as passing:
        result.tried("the same through a reverse proxy", held=looped(target, passing.url) == (508, 1, 0))
    with relay(proxy, drops=True) as dropping:
        status, rows, unsettled = looped(target, dropping.url)
        result.tried("a proxy that drops the mark", held=(status, unsettled) == (503, 0) and rows <= 2 * 20)
    for words in ("0" * 16, "a, b, c, d, e", ",".join(["f" * 16] * 100)):
        answer = target.stack.post(json=CHAT, headers={MARK: words})
        result.tried(f"a made-up mark {words[:20]}", held=answer.status_code == (508 if "," in words else 200))
    result.tried("others are served", held=target.serves())
    return result
