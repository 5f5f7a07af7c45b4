"""/metrics of the running product: what two workers have counted, before and after one of them is killed."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from fake_openai import chat
from fake_upstream import FakeUpstream, reply_json
from scraping import DONE, counted, samples, scraped
from stack import Stack

MARK = "zqmarkzq"  # in every name that must not appear
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
COUNTS = [
    "spendai_call_duration_seconds_count", "spendai_added_latency_seconds_count",
    "spendai_time_to_first_token_seconds_count", "spendai_ledger_batch_messages_sum",
]  # fmt: skip


def workers(stack: Stack) -> set[int]:
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text()
    return set(map(int, children.split()))


def test_calls_of_all_workers_are_counted_each_once(stack: Stack, fake: FakeUpstream) -> None:
    before = counted(stack, DONE, *COUNTS)
    for n in range(6):  # on connections of their own, which both workers take
        assert stack.post(json=CHAT | {"stream": n < 2}).content
    after = counted(stack, DONE, *COUNTS)
    *calls, messages = (new - old for old, new in zip(before, after, strict=True))
    assert calls == [6, 6, 6, 2]
    assert 12 <= messages <= 14, "each worker may count with one more what it refused in an earlier test"


def test_the_time_that_openai_takes_is_not_added_latency(stack: Stack, fake: FakeUpstream) -> None:
    names = ("spendai_added_latency_seconds_sum", "spendai_call_duration_seconds_sum")
    before, held = counted(stack, *names), []

    def slow(wire: Any) -> None:
        """Answers when both workers have noted what is under way in them."""
        began = time.monotonic()
        stack.wait_for(lambda: counted(stack, "spendai_open_calls") == [1])
        assert counted(stack, "spendai_upstream_connections")[0] >= 1
        held.append(time.monotonic() - began)
        reply_json(chat(CHAT))(wire)

    fake.queue("/v1/chat/completions", slow)
    assert stack.post(json=CHAT).ok
    added, duration = (new - old for old, new in zip(before, counted(stack, *names), strict=True))
    assert 0 < added <= duration - held[0]
    stack.wait_for(lambda: counted(stack, "spendai_open_calls") == [0])


def test_a_call_that_the_database_does_not_take_is_counted_until_it_is_settled(stack: Stack) -> None:
    names = [("spendai_settle_problems_total", {"problem": "spooled"}), "spendai_spool_replayed_total"]
    before = counted(stack, *names)
    stack.conn.execute("revoke execute on function app.settle_calls from spendai_proxy")
    try:
        assert stack.post(json=CHAT).ok
        stack.wait_for(lambda: counted(stack, "spendai_spooled_calls")[0] >= 1)
        assert counted(stack, names[0]) == [before[0] + 1]
        assert counted(stack, "spendai_ledger_failures_total")[0] >= 1
    finally:
        stack.conn.execute("grant execute on function app.settle_calls to spendai_proxy")
    stack.wait_for(lambda: counted(stack, names[1])[0] > before[1], 20)


def test_what_was_refused_is_counted_by_status(stack: Stack) -> None:
    name = ("spendai_calls_total", {"outcome": "refused", "status": "4xx"})
    (before,) = counted(stack, name)
    assert requests.post(f"{stack.proxy}/chat/completions", json=CHAT, timeout=10).status_code == 401
    assert counted(stack, name) == [before + 1]


def test_no_name_of_anybody_is_in_it(stack: Stack, fake: FakeUpstream) -> None:
    stack.found_with_key(MARK, f"Org{MARK}", fake.url, f"sk-{MARK}")
    told = {"model": f"gpt-4o-mini-{MARK}", "messages": [{"role": "user", "content": MARK}], "user": f"user-{MARK}"}
    answer = stack.post(json=told, name=MARK, headers={"x-spendai-tags": f"team={MARK}, {MARK}=1"})
    row, text = stack.row(answer), scraped(stack)
    assert MARK in row["model_requested"] and MARK in row["end_user"] and row["tags"] == {"team": MARK, MARK: "1"}
    ids = [str(row[name]) for name in ("id", "org_id", "project_id", "api_key_id", "provider_key_id")]
    others = [stack.key(MARK)[-12:], stack.environ["OPENAI_API_KEY"], "gpt-4o", "Acme", fake.url]
    assert [word for word in (MARK, *ids, *others) if word in text] == []
    names = {name for sample in samples(text) for name in sample.labels}
    assert names == {"outcome", "status", "problem", "pool", "le", "month"}


def test_workers_that_are_killed_take_no_count_with_them_and_leave_no_gauge(stack: Stack) -> None:
    stack.wait_for(lambda: counted(stack, "spendai_workers") == [2])
    (before,), old, statuses = counted(stack, DONE), workers(stack), set()
    for pid in old:
        os.kill(pid, signal.SIGKILL)

    def replaced() -> bool:
        with suppress(requests.ConnectionError):  # a killed worker had accepted this connection
            statuses.add(requests.get(f"{stack.url}/metrics", timeout=20).status_code)
        return not workers(stack) & old and counted(stack, "spendai_workers") == [2]

    stack.wait_for(replaced, 30)
    assert statuses == {200}
    assert counted(stack, DONE) == [before]


def test_the_database_s_numbers_are_there(stack: Stack) -> None:
    assert counted(stack, "spendai_database_up") == [1]
    assert min(counted(stack, "spendai_calls_in_doubt", "spendai_unpriced_calls")) >= 0
    months = [sample for sample in samples(scraped(stack)) if "month" in sample.labels]
    assert {sample.name for sample in months} == {"spendai_month_size_bytes"}
    assert 0 < sum(sample.value for sample in months) < counted(stack, "spendai_database_size_bytes")[0]
