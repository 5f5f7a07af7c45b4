"""app.totals_add: calls and corrections are added to the daily totals and daily labels."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from checks import executors
from people import People

NUMBERS = ("calls", "tokens_in", "tokens_cached", "tokens_cache_write", "tokens_out", "tokens_reasoning",
           "tokens_audio_in", "tokens_audio_out", "cost")  # fmt: skip
ADD = "select app.totals_add(array(select e from jsonb_populate_recordset(null::app.total_entry, %s::jsonb) e))"
LABELS = "select kind, label, {} from public.daily_labels order by kind, label"


def entry(people: People, **changes: Any) -> dict[str, Any]:
    return {
        "org_id": str(people.orgs["ada"]), "day": "2026-01-31", "project_id": str(people.projects["ada"]),
        "api_key_id": str(people.keys["ada"].id), "model": "gpt-5", "endpoint": "/v1/responses",
        "service_tier": "default", "status_code": 200, "cost_status": "priced", "upstream": "sandbox",
        "end_user": None, "tags": {}, "calls": 1, "cost": "0.1", "adjustment": 0, "correction": 0,
    } | dict.fromkeys(NUMBERS[1:-1], 10) | changes  # fmt: skip


def add(people: People, *changes: dict[str, Any]) -> None:
    people.conn.execute(ADD, [json.dumps([entry(people, **change) for change in changes])])


def rows(people: People, names: str = "calls, tokens_in, cost") -> list[tuple[Any, ...]]:
    found = people.all(f"select {names} from public.daily_totals order by calls, cost, model")
    return [tuple(row.values()) for row in found]


def test_equal_words_are_one_row_however_many_entries_and_times(people: People) -> None:
    add(people, {}, {"cost": "0.000000000001"})
    add(people, {"calls": -1, "cost": "-0.05", "tokens_in": -10}, {})
    assert rows(people) == [(2, 20, Decimal("0.150000000001"))]


def test_every_number_is_added_to_its_own_column(people: People) -> None:
    change = {name: n for n, name in enumerate((*NUMBERS, "adjustment", "correction"), 1)}
    add(people, change)
    add(people, change)
    assert rows(people, ", ".join((*NUMBERS, "adjustments", "corrections"))) == [tuple(n * 2 for n in range(1, 12))]


def test_each_other_word_is_another_row(people: People) -> None:
    others = [{"org_id": str(people.orgs["eve"])}, {"day": "2026-02-01"}, {"project_id": str(people.projects["eve"])},
              {"api_key_id": str(people.keys["eve"].id)}, {"model": ""}, {"endpoint": "/v1/x"}, {"service_tier": ""},
              {"status_code": 0}, {"cost_status": "free"}, {"upstream": "openai"}]  # fmt: skip
    add(people, {}, *others)
    add(people, *others, {})
    assert rows(people) == [(2, 20, Decimal("0.2"))] * 11


def test_what_is_not_known_adds_nothing(people: People) -> None:
    add(people, dict.fromkeys((*NUMBERS[1:], "adjustment", "correction")))
    assert rows(people) == [(1, 0, 0)]
    assert rows(people, "adjustments, corrections") == [(0, 0)]


def test_no_entries_are_no_rows(people: People) -> None:
    people.conn.execute("select app.totals_add('{}'), app.totals_add(null)")
    assert rows(people) == []


def test_a_call_counts_once_for_its_end_user_once_for_each_tag_and_once_as_tagged(people: People) -> None:
    add(people, {"end_user": "u1", "tags": {"team": "web", "env": "live"}}, {"end_user": "u1", "tags": {"team": "web"}})
    add(people, {}, {"end_user": ""})
    found = people.all(LABELS.format("calls, tokens_in, tokens_cached, tokens_out, cost"))
    assert [tuple(row.values()) for row in found] == [
        ("end_user", "", 1, 10, 10, 10, Decimal("0.1")),
        ("end_user", "u1", 2, 20, 20, 20, Decimal("0.2")),
        ("tag", "env=live", 1, 10, 10, 10, Decimal("0.1")),
        ("tag", "team=web", 2, 20, 20, 20, Decimal("0.2")),
        ("tagged", "", 2, 20, 20, 20, Decimal("0.2")),
    ]


def test_calls_of_a_label_without_a_cost_and_errors_are_counted_apart(people: People) -> None:
    labelled = {"end_user": "u1"}
    for status in ("unpriced_model", "unpriced_dimension", "no_usage", "pending_object", "priced", "error"):
        add(people, labelled | {"cost_status": status, "status_code": 400 if status == "error" else 399})
    add(people, labelled | {"calls": -1, "cost_status": "unpriced_model"})
    add(people, labelled | {"calls": 0, "adjustment": 3, "correction": 5, "status_code": 500})
    (row,) = people.all(LABELS.format("calls, unpriced_calls, no_usage_calls, error_calls, adjustments, corrections"))
    assert tuple(row.values()) == ("end_user", "u1", 5, 1, 2, 1, 3, 5)


def test_gateways_have_rows_of_their_own_so_that_nothing_else_holds_up_a_call(people: People) -> None:
    opened = people.open_message("ada", end_user="u1")
    people.open_calls(opened)
    message = json.dumps([people.settle_message("ada", opened) | {"n": 0}])
    people.conn.execute("set local session authorization spendai_proxy")
    people.conn.execute("select * from app.settle_calls(%s::jsonb)", [message])
    people.conn.execute("set local session authorization default; set role postgres")
    people.call("ada")
    pid = people.one("select pg_backend_pid() as pid")["pid"]
    slots = [row["slot"] for row in people.all("select slot from public.daily_totals order by slot")]
    assert slots == [pid % 64, pid % 64 + 64]
    assert [row["slot"] for row in people.all("select slot from public.daily_labels")] == [pid % 64]


def test_only_the_triggers_may_run_it(people: People) -> None:
    assert executors(people.conn, "totals_add") == set()
