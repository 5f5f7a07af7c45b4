"""app.ledger_lines: a day of the ledger, added up by the lines of OpenAI's bill."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from checks import executors
from ledgers import adjust
from openai_books import DAY, call, doubtful, linked_key, moment
from people import People

MINI = "gpt-4o-mini-2024-07-18"
TOKENS = {"input_tokens": 1000, "output_tokens": 100, "input_tokens_details": {"cached_tokens": 400}}


def lines(people: People, who: str = "ada") -> dict[str, dict[str, Any]]:
    found = people.all("select * from app.ledger_lines(%s, %s)", people.orgs[who], DAY)
    assert len({row["line"] for row in found}) == len(found)
    return {row["line"]: row for row in found}


def test_calls_are_added_up_by_line_and_only_those_of_the_day_and_the_organization(people: People) -> None:
    key = linked_key(people)
    for clock in ("00:00:00", "12:00:00"):
        call(people, key, moment(clock), MINI, TOKENS)
    call(people, key, moment("12:00:00"), "gpt-4o-mini", TOKENS)  # the same price model
    call(people, key, moment("00:00:00", DAY + timedelta(days=1)), MINI, TOKENS)
    call(people, key, moment("13:00:00"), MINI, TOKENS, upstream="sandbox")
    linked_key(people, "eve", "key_evil")
    call(people, None, moment("13:00:00"), MINI, TOKENS, who="eve")
    found = lines(people)
    assert {line: (row["quantity"], row["cost"]) for line, row in found.items()} == {
        "gpt-4o-mini, input": (1800, D("0.00027")), "gpt-4o-mini, cached input": (1200, D("0.00009")),
        "gpt-4o-mini, output": (300, D("0.00018")),
    }  # fmt: skip
    assert all(len(row["prices"]) == 1 and row["late"] == row["unpriced"] == 0 for row in found.values())


def test_what_was_begun_before_and_ended_today_is_late_and_what_ends_tomorrow_is_the_opposite(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("23:59:50", DAY - timedelta(days=1)), MINI, TOKENS, seconds=20)
    assert sorted((row["quantity"], row["late"]) for row in lines(people).values()) == [(0, 100), (0, 400), (0, 600)]
    call(people, key, moment("23:59:50"), MINI, TOKENS, seconds=20)
    assert {row["late"] for row in lines(people).values()} == {0}


def test_calls_without_a_price_corrections_and_costs_typed_in_stand_apart(people: People) -> None:
    key = linked_key(people)
    call(people, key, moment("09:00:00"), "gpt-99", TOKENS)
    priced = call(people, key, moment("10:00:00"), MINI, TOKENS)
    adjust(people, priced, D("-0.25"), moment("10:00:00", DAY + timedelta(days=9)))
    call(people, key, moment("11:00:00"), MINI, None, cost=D(3), cost_status="priced", cost_lines=None)
    doubtful(people, key, moment("12:00:00"), MINI)
    found = lines(people)
    assert (found["closed by hand"]["cost"], found["corrections"]["cost"]) == (3, D("-0.25"))
    columns = ("cost", "quantity", "unpriced")
    unpriced = {line: tuple(row[c] for c in columns) for line, row in found.items() if "gpt-99" in line}
    assert unpriced == {"gpt-99, input": (0, 0, 600), "gpt-99, cached input": (0, 0, 400),
                        "gpt-99, output": (0, 0, 100)}  # fmt: skip


CORRECT = """
    insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, details, at)
    select org_id, id, started_at, %s, 'a test', %s, now() + %s * interval '1 day'
    from public.usage_logs where id = %s"""


def test_a_call_counts_at_the_prices_of_its_newest_correction(people: People) -> None:
    made = call(people, linked_key(people), moment("10:00:00"), MINI, TOKENS, cost=D(1))
    for n, (delta, now) in enumerate([("6", "7"), ("2", "9")]):
        line = {"dimension": "output_text", "quantity": 100, "cost": now, "price_id": n}
        people.conn.execute(CORRECT, [delta, json.dumps({"new": {"lines": [line]}}), n, made])
    (row,) = lines(people).values()
    assert (row["line"], row["cost"], row["quantity"], row["prices"]) == ("gpt-4o-mini, output", 9, 100, [1])
    adjust(people, made, D("0.5"), moment("10:00:00", DAY + timedelta(days=9)))  # by no price: stands apart
    found = {line: row["cost"] for line, row in lines(people).items()}
    assert found == {"gpt-4o-mini, output": 9, "corrections": D("0.5")}


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "ledger_lines") == set()
