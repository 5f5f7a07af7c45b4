"""Usage, calls and prices by API: exact money, whole pages, filters that mean the same everywhere."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import gevent
import pytest
from conftest import Api, Site
from zones import zone_an_hour_behind_utc

from webapp import pause


@pytest.fixture(scope="module")
def acme(site: Site) -> SimpleNamespace:
    """Ada with two projects, a key each, and seven calls."""
    ada = site.sign_up("ada")
    projects = [ada.post("/projects", {"name": name}).json for name in ("chat", "search")]
    keys = [ada.post(f"/projects/{p['id']}/keys", {"name": f"key of {p['name']}"}).json for p in projects]
    calls = [site.call(keys[n % 2], tags={"team": f"t{n % 3}", "env": "prod"}, end_user=f"u{n % 2}") for n in range(5)]
    calls.append(site.call(keys[0], model="no-such-model", model_requested="no-such-model"))
    calls.append(site.call(keys[0], outcome="error", status_code=429, usage=None))
    return SimpleNamespace(ada=ada, projects=projects, keys=keys, calls=calls)


def exact(answer: Any) -> Any:
    """The answer's JSON in which a float would show."""
    return json.loads(answer.text, parse_float=lambda text: pytest.fail(f"a float in an answer: {text}"))


def test_money_is_exact_decimal_text(acme: SimpleNamespace) -> None:
    call = exact(acme.ada.get(f"/calls/{acme.calls[0]}"))
    assert call["cost"] == "0.00045"  # 1,000 × $0.15 and 500 × $0.60 per million
    assert call["cost_status"] == "priced"
    assert [(line["dimension"], line["quantity"], line["unit_price"], line["unit_qty"],
        line["cost"]) for line in call["cost_lines"]] == [
        ("input_text", "1000", "0.15", "1000000", "0.00015"), ("output_text", "500", "0.6", "1000000", "0.0003"),
    ]  # fmt: skip
    assert sum(Decimal(line["cost"]) for line in call["cost_lines"]) == Decimal(call["cost"])
    assert call["usage"]["prompt_tokens"] == 1000
    assert (call["key"], call["project"], call["tags"]) == ("key of chat", "chat", {"team": "t0", "env": "prod"})


def test_a_cost_that_is_not_known_is_null_and_never_0(acme: SimpleNamespace) -> None:
    unpriced, failed = (exact(acme.ada.get(f"/calls/{call}")) for call in acme.calls[5:])
    assert (unpriced["cost"], unpriced["cost_status"]) == (None, "unpriced_model")
    assert (failed["cost"], failed["cost_status"], failed["status_code"]) == ("0", "error", 429)


def test_totals_are_the_sum_of_the_rows_and_of_the_calls(acme: SimpleNamespace) -> None:
    calls = exact(acme.ada.get("/calls"))["data"]
    expected = {
        "calls": 7, "tokens_in": 6000, "tokens_cached": 0, "tokens_out": 3000, "cost": "0.00225", "unpriced_calls": 1,
        "no_usage_calls": 0, "in_doubt_calls": 0, "adjustments": "0", "cost_corrected": "0.00225",
    }  # fmt: skip
    assert sum(Decimal(call["cost"] or 0) for call in calls) == Decimal("0.00225")
    for groups in ("", "day", "project", "key", "model", "day,project,key,model,endpoint,service_tier,status,end_user"):
        usage = exact(acme.ada.get(f"/usage?group_by={groups}"))
        assert usage["totals"] == expected, groups
        assert sum(Decimal(row["cost"]) for row in usage["data"]) == Decimal("0.00225")
        assert sum(row["calls"] for row in usage["data"]) == 7


def test_a_call_with_two_tags_counts_in_both_and_once_in_the_total(acme: SimpleNamespace) -> None:
    usage = exact(acme.ada.get("/usage?group_by=tag"))
    assert {row["tag"]: row["calls"] for row in usage["data"]} == {
        "env=prod": 5,
        "team=t0": 2,
        "team=t1": 2,
        "team=t2": 1,
        None: 2,
    }
    assert usage["totals"]["calls"] == 7


def test_groups_give_ids_and_names(acme: SimpleNamespace) -> None:
    rows = exact(acme.ada.get("/usage?group_by=project,key"))["data"]
    assert {(row["project_id"], row["project"], row["key_id"], row["key"]) for row in rows} == {
        (p["id"], p["name"], k["id"], k["name"]) for p, k in zip(acme.projects, acme.keys, strict=True)
    }
    assert "day" not in rows[0] and "model" not in rows[0]
    (day,) = exact(acme.ada.get("/usage?group_by=day"))["data"]
    assert day["day"] == exact(acme.ada.get("/calls?limit=1"))["data"][0]["started_at"][:10]


def test_other_calls_of_the_worker_run_while_many_sums_are_written(
    acme: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100,000 rows of end users and days would otherwise hold up every stream of the worker for seconds."""
    monkeypatch.setattr(pause, "SECONDS", 0.0)
    turns: list[None] = []

    def another_call() -> None:
        while True:
            turns.append(None)
            gevent.sleep(0)

    beside = gevent.spawn(another_call)
    rows = acme.ada.get("/usage?group_by=model,tag,end_user").json["data"]
    beside.kill()
    assert len(turns) > len(rows) > 5


def test_more_rows_than_memory_should_hold_are_refused_and_never_cut_off(acme: SimpleNamespace, monkeypatch) -> None:
    rows = acme.ada.get("/usage?group_by=tag,end_user").json["data"]
    monkeypatch.setattr("webapp.pause.MOST_ROWS", len(rows))
    assert acme.ada.get("/usage?group_by=tag,end_user").json["data"] == rows
    monkeypatch.setattr("webapp.pause.MOST_ROWS", len(rows) - 1)
    answer = acme.ada.get("/usage?group_by=tag,end_user")
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (400, "too_many_rows")


def test_hours_days_weeks_and_months_are_those_of_the_zone(site: Site, acme: SimpleNamespace, tmp_path: Path) -> None:
    eve = site.sign_up("zoe")
    project = eve.post("/projects", {"name": "zoned"}).json
    key = eve.post(f"/projects/{project['id']}/keys", {"name": "k"}).json
    site.sql("select app.ensure_partition('2026-10-25')")
    for at in ("2026-10-24T22:10Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-31T23:30Z"):
        site.call(key, id=str(uuid4()), started_at=at)
    period = "from=2026-10-25&to=2026-11-02&tz=Europe/Berlin"

    def found(words: str, name: str) -> list[tuple[str, int]]:
        return [(row[name], row["calls"]) for row in exact(eve.get(f"/usage?{words}"))["data"]]

    assert found(f"{period}&granularity=hour", "hour") == [
        ("2026-10-25T00:00:00+02:00", 1), ("2026-10-25T02:00:00+02:00", 1), ("2026-10-25T02:00:00+01:00", 1),
        ("2026-11-01T00:00:00+01:00", 1),
    ]  # fmt: skip
    days = [("2026-10-25", 3), ("2026-11-01", 1)]
    for words in ("granularity=day", "group_by=day", "group_by=day,project&granularity=day"):
        assert found(f"{period}&{words}", "day") == days
    assert found(f"{period}&granularity=week", "week") == [("2026-10-19", 3), ("2026-10-26", 1)]
    assert found(f"{period}&granularity=month&group_by=person", "month") == [("2026-10", 3), ("2026-11", 1)]
    assert found("from=2026-10-25&to=2026-10-26&granularity=hour", "hour") == [
        ("2026-10-25T00:00:00Z", 1), ("2026-10-25T01:00:00Z", 1),
    ]  # fmt: skip
    (row, _) = exact(eve.get(f"/usage?{period}&granularity=week&group_by=person"))["data"]
    assert "@" in row["person"] and "month" not in row
    with zone_an_hour_behind_utc("Europe/Berlin", tmp_path):  # the days that Postgres adds up keep their dates
        assert found(f"{period}&granularity=day", "day") == [("2026-10-25", 1), ("2026-11-01", 1)]
        assert found(f"{period}&granularity=month", "month") == [("2026-10", 1), ("2026-11", 1)]
    assert len(exact(eve.get("/calls?from=2026-10-25&to=2026-10-26&tz=Europe/Berlin"))["data"]) == 3


@pytest.mark.parametrize(("query", "code", "param"), [
    ("tz=Moon/Crater", "invalid_time_zone", "tz"), ("tz=CET", "invalid_time_zone", "tz"),
    ("granularity=minute", "invalid_granularity", "granularity"),
    ("granularity=week&group_by=day", "invalid_granularity", "granularity"),
])  # fmt: skip
def test_a_zone_or_granularity_that_does_not_exist_is_named(
    acme: SimpleNamespace, query: str, code: str, param: str
) -> None:
    answer = acme.ada.get(f"/usage?{query}")
    assert (answer.status_code, answer.json["error"]["code"], answer.json["error"]["param"]) == (400, code, param)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/usage", "user"), ("/usage", "models"), ("/usage", "session"), ("/calls", "key_id"), ("/sessions", "from"),
     ("/prices", "tier"), ("/audit", "user"), ("/books/days", "project")],
)  # fmt: skip
def test_a_filter_that_a_list_does_not_have_is_refused_and_not_left_out(
    acme: SimpleNamespace, path: str, name: str
) -> None:
    answer = acme.ada.get(f"{path}?limit=1&{name}=x" if path in ("/calls", "/sessions") else f"{path}?{name}=x")
    assert (answer.status_code, answer.json["error"]["code"], answer.json["error"]["param"]) == (
        400, "unknown_parameter", name,
    )  # fmt: skip
    assert acme.ada.get(path).status_code == 200


def test_words_of_a_page_that_choose_no_calls_may_be_copied_from_its_address(acme: SimpleNamespace) -> None:
    same_in_usage_and_calls(acme.ada, "period=7&tz=Europe/Berlin&grain=day&compare=year&model=no-such-model", 1)


def same_in_usage_and_calls(someone: Api, query: str, count: int) -> None:
    assert exact(someone.get(f"/usage?{query}"))["totals"]["calls"] == count
    assert len(exact(someone.get(f"/calls?{query}"))["data"]) == count


@pytest.mark.parametrize(("query", "count"), [
    ("model=gpt-4o-mini-2024-07-18", 6), ("model=no-such-model", 1),
    ("model=no-such-model&model=gpt-4o-mini-2024-07-18", 7),
    ("status=429", 1), ("status=200", 6), ("cost_status=unpriced_model", 1),
    ("cost_status=priced&cost_status=error", 6), ("end_user=u1", 2),
    ("tag=env", 5), ("tag=team%3Dt1", 2), ("tag=team%3Dt1&end_user=u0", 1), ("endpoint=/v1/chat/completions", 7),
    ("endpoint=/v1/responses", 0),
    ("from=2020-01-01&to=2020-02-01", 0), ("period=7&status=429&model=no-such-model", 0),
])  # fmt: skip
def test_filters_mean_the_same_in_usage_and_calls(acme: SimpleNamespace, query: str, count: int) -> None:
    same_in_usage_and_calls(acme.ada, query, count)


def test_today_is_the_same_in_usage_and_calls(site: Site) -> None:
    """With a call of its own: the others may be of yesterday by now."""
    eve = site.sign_up("tess")
    project = eve.post("/projects", {"name": "chat"}).json
    site.call(eve.post(f"/projects/{project['id']}/keys", {"name": "k"}).json)
    same_in_usage_and_calls(eve, "period=today", 1)


def test_project_and_key_filters_take_ids(acme: SimpleNamespace) -> None:
    for name, things in (("project", acme.projects), ("key", acme.keys)):
        counts = [exact(acme.ada.get(f"/usage?{name}={thing['id']}"))["totals"]["calls"] for thing in things]
        assert counts == [5, 2]


def test_pages_hold_every_call_once_newest_first(acme: SimpleNamespace) -> None:
    whole = exact(acme.ada.get("/calls"))
    assert whole["next_cursor"] is None and len({c["id"] for c in whole["data"]}) == 7
    assert [c["started_at"] for c in whole["data"]] == sorted((c["started_at"] for c in whole["data"]), reverse=True)
    for size in (1, 3, 7):
        found, cursor = [], ""
        while cursor is not None:
            page = exact(acme.ada.get(f"/calls?limit={size}&cursor={cursor}"))
            assert len(page["data"]) <= size
            found += page["data"]
            cursor = page["next_cursor"]
        assert found == whole["data"]


def test_nothing_spent_is_0_in_text(site: Site) -> None:
    usage = exact(site.sign_up().get("/usage?group_by=day"))
    assert usage["data"] == [] and usage["totals"]["cost"] == "0" and usage["totals"]["calls"] == 0


def test_the_view_and_the_api_agree_to_the_last_digit(site: Site, acme: SimpleNamespace) -> None:
    org = acme.ada.organization["id"]
    (cost, calls), = site.sql("select sum(cost), sum(calls) from public.spend_daily where org_id = %s",
        org)  # fmt: skip
    totals = exact(acme.ada.get("/usage"))["totals"]
    assert (Decimal(totals["cost"]), totals["calls"]) == (cost, calls)


def test_the_price_list_comes_in_pages_and_whole(acme: SimpleNamespace, site: Site) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = exact(acme.ada.get(f"/prices?limit=400&cursor={cursor}"))
        found += page["data"]
        cursor = page["next_cursor"]
    assert len(found) == site.sql("select count(*) from public.model_prices where org_id is null")[0][0]
    assert {(p["dimension"], p["unit_price"], p["unit_qty"]) for p in found if p["model"] == "gpt-4o-mini"} >= {
        ("input_text", "0.15", "1000000"), ("output_text", "0.6", "1000000"),
    }  # fmt: skip


def test_play_money_is_never_added_to_real_money(site: Site) -> None:
    ada: Api = site.sign_up()
    project = ada.post("/projects", {"name": "p"}).json["id"]
    call = site.call(ada.post(f"/projects/{project}/keys", {"name": "k"}).json)
    assert exact(ada.get("/usage"))["totals"]["calls"] == 1
    ada.call("PUT", "/provider-key", {"key": "sk-" + "x" * 30})
    assert exact(ada.get("/usage"))["totals"]["calls"] == 0
    assert ada.get(f"/calls/{call}").status_code == 404
