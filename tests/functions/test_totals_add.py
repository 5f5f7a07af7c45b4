"""app.totals_add: calls and corrections are added to the totals and labels of their day and of their hour."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from checks import executors
from people import People

KINDS = ("cost_input", "cost_cached", "cost_cache_write", "cost_output", "cost_reasoning", "cost_audio", "cost_image",
         "cost_tools", "cost_region")  # fmt: skip
NUMBERS = ("calls", "tokens_in", "tokens_cached", "tokens_cache_write", "tokens_out", "tokens_reasoning",
           "tokens_audio_in", "tokens_audio_out", *KINDS, "cost")  # fmt: skip
NEXT = {"day": "2026-02-01", "hour": "2026-02-01T00:00Z"}
ADD = "select app.totals_add(array(select e from jsonb_populate_recordset(null::app.total_entry, %s::jsonb) e))"
LABELS = "select kind, label, {} from public.{}_labels order by kind, label"


def entry(people: People, **changes: Any) -> dict[str, Any]:
    return {
        "org_id": str(people.orgs["ada"]), "day": "2026-01-31", "hour": "2026-01-31T23:00Z",
        "project_id": str(people.projects["ada"]), "api_key_id": str(people.keys["ada"].id), "model": "gpt-5",
        "endpoint": "/v1/responses", "service_tier": "default", "status_code": 200, "cost_status": "priced",
        "upstream": "sandbox", "end_user": None, "tags": {}, "calls": 1, "cost": "0.1", "adjustment": 0, "correction": 0,
    } | dict.fromkeys(NUMBERS[1:-1], 10) | changes  # fmt: skip


def add(people: People, *changes: dict[str, Any]) -> None:
    people.conn.execute(ADD, [json.dumps([entry(people, **change) for change in changes])])


def rows(people: People, names: str = "calls, tokens_in, cost", table: str = "daily") -> list[tuple[Any, ...]]:
    found = people.all(f"select {names} from public.{table}_totals order by calls, cost, model")
    return [tuple(row.values()) for row in found]


def test_equal_words_are_one_row_however_many_entries_and_times(people: People) -> None:
    add(people, {}, {"cost": "0.000000000001"})
    add(people, {"calls": -1, "cost": "-0.05", "tokens_in": -10}, {})
    for table in ("daily", "hourly"):
        assert rows(people, table=table) == [(2, 20, Decimal("0.150000000001"))]


def test_every_number_is_added_to_its_own_column(people: People) -> None:
    change = {name: n for n, name in enumerate((*NUMBERS, "adjustment", "correction"), 1)}
    add(people, change)
    add(people, change)
    names = ", ".join((*NUMBERS, "adjustments", "corrections"))
    for table in ("daily", "hourly"):
        assert rows(people, names, table) == [tuple(n * 2 for n in range(1, 21))]


def test_each_other_word_is_another_row(people: People) -> None:
    others = [{"org_id": str(people.orgs["eve"])}, NEXT, {"project_id": str(people.projects["eve"])},
              {"api_key_id": str(people.keys["eve"].id)}, {"model": ""}, {"endpoint": "/v1/x"}, {"service_tier": ""},
              {"status_code": 0}, {"cost_status": "free"}, {"upstream": "openai"}]  # fmt: skip
    add(people, {}, *others)
    add(people, *others, {})
    for table in ("daily", "hourly"):
        assert rows(people, table=table) == [(2, 20, Decimal("0.2"))] * 11


def test_each_hour_is_another_row_and_the_hours_of_a_day_are_one(people: People) -> None:
    hours = ["2026-01-31T00:00Z", "2026-01-31T00:00Z", "2026-01-31T22:00Z", "2026-01-31T23:00Z"]
    labels = {"end_user": "u1", "tags": {"team": "web"}}
    add(people, *({"hour": hour} | labels for hour in hours), NEXT | labels)
    for number, hour in enumerate(hours):
        add(people, {"hour": hour, "cost": number} | labels)
    for table in ("totals", *(f"labels where kind = '{kind}'" for kind in ("end_user", "tag", "tagged"))):
        by_day = people.all(f"select day::text, calls, cost from public.daily_{table} order by 1")
        assert [tuple(row.values()) for row in by_day] == [
            ("2026-01-31", 8, Decimal("6.4")), ("2026-02-01", 1, Decimal("0.1"))
        ]  # fmt: skip
        by_hour = people.all(f"select to_char(hour, 'HH24'), calls, cost from public.hourly_{table} order by hour")
        assert [tuple(row.values()) for row in by_hour] == [
            ("00", 4, Decimal("1.2")), ("22", 2, Decimal("2.1")), ("23", 2, Decimal("3.1")), ("00", 1, Decimal("0.1"))
        ]  # fmt: skip


def test_no_entries_are_no_rows(people: People) -> None:
    people.conn.execute("select app.totals_add('{}'), app.totals_add(null)")
    assert rows(people) == []


def test_a_call_counts_once_for_its_end_user_once_for_each_tag_and_once_as_tagged(people: People) -> None:
    add(people, {"end_user": "u1", "tags": {"team": "web", "env": "live"}}, {"end_user": "u1", "tags": {"team": "web"}})
    add(people, {}, {"end_user": ""})
    for table in ("daily", "hourly"):
        found = people.all(LABELS.format("calls, tokens_in, tokens_cached, tokens_out, cost", table))
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
    for table in ("daily", "hourly"):
        names = "calls, unpriced_calls, no_usage_calls, error_calls, adjustments, corrections"
        (row,) = people.all(LABELS.format(names, table))
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
    for table in ("daily", "hourly"):
        slots = [row["slot"] for row in people.all(f"select slot from public.{table}_totals order by slot")]
        assert slots == [pid % 64, pid % 64 + 64]
        assert [row["slot"] for row in people.all(f"select slot from public.{table}_labels")] == [pid % 64]


def test_only_the_triggers_may_run_it(people: People) -> None:
    assert executors(people.conn, "totals_add") == set()
