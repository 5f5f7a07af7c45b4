"""app.retention_drop: the calls of an old month are dropped, its daily totals stay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from checks import executors
from ledgers import add_call, adjust
from months import ago, ensure, take_out
from people import People
from spending import spent
from totals import VIEWS, differences

DROP = "select app.retention_drop(%s, %s, null) as calls"
LABELLED = {"end_user": "u1", "tags": {"team": "web"}}


def then() -> datetime:
    """A moment of the month that is dropped."""
    return ago(3) + timedelta(days=10, hours=12)


@pytest.fixture
def old(people: People) -> People:
    """Three calls of an old month, one of them corrected in the month after, and one call of that month."""
    ensure(people, 2, 3)
    call = add_call(people, "ada", then(), cost=2, **LABELLED)
    add_call(people, "ada", then(), cost=1, **LABELLED)
    add_call(people, "eve", then(), cost=1000)
    add_call(people, "ada", ago(2), cost=Decimal("0.25"), **LABELLED)
    adjust(people, call, Decimal("0.5"), ago(2) + timedelta(days=1))
    return people


def drop(people: People, month: int = 3, reason: str = "retention") -> int:
    take_out(people, month)
    return people.one(DROP, ago(month).date(), reason)["calls"]


def shown(people: People, view: str, who: str = "ada") -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(f"select * from public.{view} v order by v::text")


@pytest.mark.parametrize("view", [*VIEWS, "hourly_entries", "hourly_label_entries"])
def test_sums_of_days_and_hours_stay_as_they_were(old: People, view: str) -> None:
    before = {who: shown(old, view, who) for who in ("ada", "eve")}
    assert before["ada"]
    assert drop(old) == 3
    assert {who: shown(old, view, who) for who in ("ada", "eve")} == before
    assert differences(old) == []


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu"])
def test_days_and_months_of_a_zone_that_begin_within_an_hour_still_add_up(people: People, zone: str) -> None:
    ensure(people, 2, 3)
    edge = ago(2).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)  # the month begins then, there
    before, after = edge - timedelta(days=2), edge + timedelta(days=2)
    for minutes in range(-180, 181, 12):
        add_call(people, "ada", edge + timedelta(minutes=minutes), cost=1)

    def calls(since: datetime, until: datetime) -> tuple[int, int]:
        """Of a period: its total, and its days added up."""
        with people.as_("ada"):
            rows = people.all(
                "select is_total, calls from app.usage_with_total(%s, %s, '{day}', '{}', %s)", since, until, zone
            )
        return tuple(sum(row["calls"] for row in rows if row["is_total"] is total) for total in (True, False))

    drop(people)
    (one, its_days), (other, other_days) = calls(before, edge), calls(edge, after)
    assert (one, other) == (its_days, other_days)
    assert calls(before, after) == (one + other, one + other) == (31, 31)


@pytest.mark.parametrize("without", [False, True])
def test_a_month_without_sums_per_hour_is_remembered_as_such(old: People, without: bool) -> None:
    if without:
        old.conn.execute("delete from public.hourly_totals where hour < %s", [ago(2)])
    drop(old)
    assert old.one("select app.hours_since() as day")["day"] == (ago(2).date() if without else date.min)


def test_the_calls_are_gone_and_those_of_other_months_are_not(old: People) -> None:
    drop(old)
    assert [row["started_at"] for row in shown(old, "calls")] == [ago(2)]
    assert old.one("select to_regclass(%s) as found", then().strftime("private.usage_logs_%Y_%m"))["found"] is None
    assert old.all("select * from app.retention_due(2)") == []


def test_each_organization_finds_in_its_audit_log_what_was_dropped_and_why(old: People) -> None:
    drop(old, reason="we keep three months")
    for who, calls in (("ada", 2), ("eve", 1)):
        with old.as_(who):
            (line,) = old.all("select * from public.audit_log where action = 'calls.dropped'")
        assert line["org_id"] == old.orgs[who] and line["actor_id"] is None
        assert line["details"] == {"month": then().strftime("%Y-%m"), "calls": calls, "reason": "we keep three months"}


def test_a_month_that_is_still_part_of_the_ledger_is_refused(old: People) -> None:
    error = old.refused("PT409", DROP, ago(3).date(), "retention")
    assert error.diag.message_detail == "month_attached"
    assert len(shown(old, "calls")) == 3


def test_a_month_without_a_place_is_an_error_and_changes_nothing(people: People) -> None:
    people.refused("42P01", DROP, "2020-01-01", "retention")
    assert people.all("select * from private.dropped_months") == []


def test_a_call_of_a_dropped_month_that_is_settled_again_is_known_as_settled_and_changes_nothing(old: People) -> None:
    drop(old)
    before = shown(old, "spend_daily")
    opened = old.open_message("ada", started_at=then().isoformat())
    today = old.open_message("ada")
    answers = old.settle_calls(old.settle_message("ada", opened), old.settle_message("ada", today))
    assert [row["outcome"] for row in answers] == ["already", "missing"]
    assert len(shown(old, "spend_daily")) == len(before) + 1
    assert differences(old) == []


def test_a_month_that_was_dropped_leaves_the_next_ones_alone(old: People) -> None:
    drop(old)
    spent(old, at=ago(2), **LABELLED)
    assert shown(old, "spend_by_tag")[-2]["calls"] + shown(old, "spend_by_tag")[-1]["calls"] == 2
    assert differences(old) == []


def test_websocket_sessions_go_with_their_last_call(old: People) -> None:
    """They have tags, and without their calls their page would say that they made none."""
    begun = """
    insert into public.websocket_sessions
        (id, org_id, project_id, api_key_id, upstream, endpoint, started_at, deadline_at)
    select gen_random_uuid(), u.org_id, u.project_id, u.api_key_id, u.upstream, '/v1/realtime', %s,
        %s::timestamptz + interval '65 min'
    from public.usage_logs u where u.org_id = %s limit 1 returning id"""
    over, without, across, next_month = (
        old.one(begun, at, at, old.orgs["ada"])["id"] for at in (then(), then(), ago(2) - timedelta(minutes=5), ago(2))
    )
    member = (
        "update public.usage_logs set session_id = %s where org_id = %s and date_trunc('month', started_at, 'UTC') = %s"
    )
    old.conn.execute("alter table public.usage_logs disable trigger user")
    old.conn.execute(member, [over, old.orgs["ada"], ago(3)])
    old.conn.execute(member, [across, old.orgs["ada"], ago(2)])
    old.conn.execute("alter table public.usage_logs enable trigger user")
    drop(old)
    left = {row["id"] for row in old.all("select id from public.websocket_sessions")}
    assert left == {across, next_month} and not left & {over, without}
    drop(old, 2)
    assert old.all("select id from public.websocket_sessions") == []


def test_what_is_remembered_of_objects_goes_with_the_calls_that_made_them(old: People) -> None:
    """Where answers stay at OpenAI there is a row of each: without this the table would grow for ever."""
    for at in (ago(3), then(), ago(2), ago(0)):
        old.conn.execute(
            "insert into private.upstream_objects"
            " (upstream_account, object_id, org_id, project_id, call_id, started_at)"
            " values ('install', %s, %s, %s, gen_random_uuid(), %s)",
            [f"resp_{at}", old.orgs["ada"], old.projects["ada"], at],
        )
    drop(old)
    left = old.all("select started_at from private.upstream_objects order by 1")
    assert [row["started_at"] for row in left] == [ago(2), ago(0)]


def test_an_empty_month_goes_too(people: People) -> None:
    ensure(people, 4)
    assert drop(people, 4) == 0
    (row,) = people.all("select month, calls, reason from private.dropped_months")
    assert row == {"month": ago(4).date(), "calls": 0, "reason": "retention"}
    assert people.all("select * from public.audit_log where action = 'calls.dropped'") == []


def test_while_the_month_is_being_taken_out_calls_go_on(own_dsn: str) -> None:
    name = then().strftime("usage_logs_%Y_%m")
    with psycopg.connect(own_dsn, autocommit=True) as owner, psycopg.connect(own_dsn) as gateway:
        owner.execute("select app.ensure_partition(%s)", [then().date()])
        owner.execute(f"alter table public.usage_logs detach partition private.{name} concurrently")
        gateway.execute("set lock_timeout = '200ms'")
        gateway.execute("select * from app.settle_calls('[]')")
        assert owner.execute(DROP, [then().date().replace(day=1), "retention"]).fetchone() == (0,)


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "retention_drop") == set()
