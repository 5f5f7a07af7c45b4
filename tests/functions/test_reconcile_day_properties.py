"""app.reconcile_day over random books with random faults: the parts are the difference, exactly."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from checks import examples
from hypothesis import given
from hypothesis import strategies as st
from ledgers import adjust
from openai_books import DAY, call, compare, doubtful, exact_sum, fetch, linked_key, minute, moment
from people import People

MODELS = st.sampled_from(["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-5", "o3", "gpt-99", "whisper-1"])
CLOCK = st.integers(0, 24 * 3600 - 1).map(lambda s: f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}")
COUNT = st.integers(0, 10**7)
CALL = st.fixed_dictionaries({
    "day": st.sampled_from([DAY - timedelta(days=1), DAY]), "clock": CLOCK, "model": MODELS,
    "seconds": st.integers(0, 7200),
    "usage": st.none() | st.fixed_dictionaries({"input_tokens": COUNT, "output_tokens": COUNT}),
    "tools": st.none() | st.just({"web_search_calls": 3}),
    "tier": st.sampled_from(["default", "flex", "priority", "odd"]),
    "batch": st.booleans(), "doubt": st.booleans(), "correction": st.none() | st.decimals(-9, 9, places=12),
    "typed": st.none() | st.decimals(0, 9, places=12),
})  # fmt: skip
ITEM = st.builds(
    "{}{}{}".format, st.sampled_from(["", "flex | ", "priority | ", "evals | ", "odd | "]),
    MODELS, st.sampled_from([", input", ", cached input", ", output", " audio, output", "", ", nonsense"]),
) | st.sampled_from(["web search tool calls", "Whisper", " ", "corrections", "closed by hand", "new"])  # fmt: skip
LINE = st.tuples(
    st.sampled_from(["key_proxy", "key_laptop", None]), ITEM, st.none() | COUNT.map(D) | st.decimals(0, 99, places=9),
    st.sampled_from([None, "tokens", "1000_tokens", "duration_minutes", "calls"]),
    st.decimals(0, 10**6, places=30) | st.just(D("0E-40")) | st.decimals(-9, 0, places=15),
)  # fmt: skip
MINUTE = st.tuples(CLOCK, MODELS, st.integers(0, 2), COUNT)
BOOKS = st.fixed_dictionaries({
    "calls": st.lists(CALL, max_size=6), "lines": st.lists(LINE, max_size=8),
    "minutes": st.lists(MINUTE, max_size=3), "grain": st.sampled_from(["key", "project"]),
})  # fmt: skip

KNOWN = """
select coalesce(sum(u.cost), 0) + coalesce(sum(a.delta), 0) as cost
from public.usage_logs u
left join (select call_id, sum(delta) as delta from public.cost_adjustments group by 1) a on a.call_id = u.id
where u.org_id = %(org)s and u.started_at >= %(day)s
"""


def write(people: People, books: dict[str, Any]) -> None:
    key = linked_key(people)
    for made in books["calls"]:
        at = moment(made["clock"], made["day"])
        if made["doubt"]:
            doubtful(people, key, at, made["model"])
            continue
        typed = {"cost": made["typed"], "cost_status": "priced"} if made["typed"] and not made["usage"] else {}
        row = call(people, key, at, made["model"], made["usage"], made["tools"], seconds=made["seconds"],
                   service_tier=made["tier"], batch=made["batch"], **typed)  # fmt: skip
        if made["correction"]:
            adjust(people, row, made["correction"], at)
    fetched = fetch(people, {DAY: books["lines"]}, grain=books["grain"])
    for clock, model, requests, tokens in books["minutes"]:
        minute(people, fetched, moment(clock), model, requests, output_tokens=tokens)


@given(books=BOOKS)
@examples(15)
def test_the_parts_add_up_to_both_sides_whatever_the_books_say(people: People, books: dict[str, Any]) -> None:
    with people.conn.transaction(force_rollback=True):
        write(people, books)
        compare(people)  # which runs the guard too
        org = people.orgs["ada"]
        rows = people.all("select * from public.reconciled_parts where org_id = %s", org)
        day = people.one("select * from public.reconciled_days where org_id = %s", org)
        known = people.conn.execute(KNOWN, {"org": org, "day": moment("00:00:00")}).fetchone()
        assert day["openai"] == exact_sum(line[4] for line in books["lines"])
        assert day["ledger"] == known["cost"]
        for column in ("openai", "ledger"):
            assert exact_sum(row[column] or D(0) for row in rows) == day[column]
        assert exact_sum(row["amount"] for row in rows) == exact_sum([day["openai"], -day["ledger"]])
