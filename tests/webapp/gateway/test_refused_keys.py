"""Calls with a revoked or expired key are counted, and the database is spared."""

from __future__ import annotations

from collections.abc import Mapping

import gevent
import pytest
from stack import Stack

from webapp.gateway import refused_keys as module
from webapp.gateway.refused_keys import RefusedKeys
from webapp.ledger.ledger import LedgerRefused, LedgerUnavailable
from webapp.secrets.hashing import sha256_of
from webapp.secrets.proxy_keys import new_key

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
COUNTS = "select * from public.key_refusals where api_key_id = %s"


class Ledger:
    """Keeps what it is told, or raises ``error``."""

    def __init__(self) -> None:
        self.told: list[dict[bytes, int]] = []
        self.error: Exception | None = None

    def count_refusals(self, calls: Mapping[bytes, int]) -> None:
        if self.error:
            raise self.error
        self.told.append(dict(calls))


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of the timers that were started, none of which ever runs."""
    started: list[float] = []
    monkeypatch.setattr(module.gevent, "spawn_later", lambda seconds, *_: started.append(seconds))
    return started


def test_many_refusals_are_one_write(timers: list[float]) -> None:
    refused, ledger = RefusedKeys(), Ledger()
    for n in range(1000):
        refused.count(ledger, b"a" if n % 4 else b"b", "revoked_key" if n % 2 else "expired_key")
    assert (ledger.told, timers) == ([], [module.SECONDS])
    refused.write(ledger)
    assert ledger.told == [{b"a": 750, b"b": 250}]
    refused.count(ledger, b"a", "archived_project")
    assert len(timers) == 2 and refused.calls == {b"a": 1}


@pytest.mark.parametrize("outcome", ["invalid_key", "opened", "clock_skew", "no_provider_key", "needs_own_openai_key"])
def test_other_refusals_are_not_counted(timers: list[float], outcome: str) -> None:
    refused = RefusedKeys()
    refused.count(Ledger(), b"a", outcome)
    assert not refused.calls and timers == []


def test_memory_is_bounded(timers: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    refused = RefusedKeys()
    for n in range(10):
        refused.count(Ledger(), b"%d" % (n % 5), "revoked_key")
    assert refused.calls == {b"0": 2, b"1": 2, b"2": 2}


@pytest.mark.parametrize(("error", "kept"), [
    (LedgerUnavailable("away", sent=False), True), (LedgerUnavailable("slow", sent=True), False),
    (LedgerRefused("22"), False),
])  # fmt: skip
def test_counts_wait_for_a_database_that_is_away_and_none_is_written_twice(
    timers: list[float], error: Exception, kept: bool
) -> None:
    refused, ledger = RefusedKeys(), Ledger()
    refused.count(ledger, b"a", "revoked_key")
    ledger.error = error
    refused.write(ledger)
    assert refused.calls == ({b"a": 1} if kept else {}) and len(timers) == 1 + kept
    ledger.error = None
    refused.count(ledger, b"a", "revoked_key")
    refused.write(ledger)
    assert ledger.told == [{b"a": 1 + kept}]


def test_the_timer_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0)
    refused, ledger = RefusedKeys(), Ledger()
    refused.count(ledger, b"a", "revoked_key")
    gevent.wait(timeout=10)
    assert ledger.told == [{b"a": 1}]


def test_a_revoked_key_that_is_still_used_is_counted_with_small_and_large_bodies(stack: Stack) -> None:
    people, key = stack.people, new_key()
    with people.as_("eve"):
        making = "select app.key_create(%s, %s, 'x', %s, %s, null)"
        people.one(making, people.projects["eve"], key.id, key.prefix, key.hash)
        people.one("select app.key_revoke(%s)", key.id)
    before, header = stack.count(), {"Authorization": f"Bearer {key.key}"}
    large = CHAT | {"messages": [{"role": "user", "content": "x" * 100_000}]}
    refused = [stack.post(json=body, headers=header).status_code for body in (CHAT, CHAT, CHAT, large, large)]
    assert refused == [401] * 5
    unknown = "sk-spend-invented"
    assert stack.post(json=CHAT, headers={"Authorization": f"Bearer {unknown}"}).status_code == 401
    assert stack.wait_for(lambda: stack.conn.execute(COUNTS, [key.id]).fetchone()["calls"] == 5, 20)
    assert stack.count() == before
    known = "select count(*) as n from public.key_refusals r left join public.api_keys k on k.id = r.api_key_id"
    assert stack.conn.execute(f"{known} where k.key_hash = %s", [sha256_of(unknown)]).fetchone()["n"] == 0
    assert stack.conn.execute(f"{known} where k.id is null").fetchone()["n"] == 0
