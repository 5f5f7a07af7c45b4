"""app.totals_rebuild: the sums of a day are again those of its calls, and nothing else is changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from ledgers import DAY, add_call, adjust
from months import ago, ensure, take_out
from people import People
from totals import all_is_well, differences, many_calls

THEN = DAY.date()
REBUILD = "select * from app.totals_rebuild(%s, %s, 'a test')"
TABLES = ("daily_totals", "daily_labels", "hourly_totals", "hourly_labels")
HARM = (
    "update public.daily_totals set calls = calls + 1, cost = cost * 3 where org_id = %s and day = %s",
    "update public.daily_labels set label = label || '?' where kind <> 'tagged' and org_id = %s and day = %s",
    "update public.hourly_totals set model = 'none', corrections = 7 where org_id = %s and hour::date = %s",
    "delete from public.hourly_labels where org_id = %s and hour::date = %s",
)


def rebuild(people: People, who: str, day: date = THEN) -> dict[str, Any]:
    return people.one(REBUILD, people.orgs[who], day)


def refuse(people: People, day: date) -> None:
    error = people.refused("PT409", REBUILD, people.orgs["ada"], day)
    assert error.diag.message_detail == "month_dropped"


def switch(people: People, how: str) -> None:
    people.conn.execute("set constraints all immediate")  # a table with deferred checks pending cannot be altered
    for table in ("usage_logs", "cost_adjustments"):
        people.conn.execute(f"alter table public.{table} {how} trigger user")


def kept(people: People, which: str = "true") -> list[list[dict[str, Any]]]:
    """The rows of all sums without their slots."""
    return [people.all(f"select to_jsonb(t) - 'slot' as row from public.{name} t where {which} order by 1")
            for name in TABLES]  # fmt: skip


def test_sums_of_a_day_that_were_changed_or_are_missing_are_right_again_and_no_others_are_touched(
    people: People,
) -> None:
    many_calls(people)
    eves = "org_id = (select id from public.organizations where name = 'Evil')"
    before, foreign = (
        people.one(
            "select sum(calls) as calls, sum(cost + adjustments) as cost from public.daily_totals"
            " where org_id = %s and day = %s",
            people.orgs["ada"],
            DAY.date(),
        ),
        kept(people, eves),
    )
    for harm in HARM:
        assert people.conn.execute(harm, [people.orgs["ada"], THEN]).rowcount > 0
    assert {row["part"].partition(" ")[0] for row in differences(people)} == {"all", "end_user", "tag", "tagged"}
    found = rebuild(people, "ada")
    all_is_well(people)
    assert (found["calls_after"], found["cost_after"]) == (before["calls"], before["cost"])
    assert found["calls_before"] > found["calls_after"] > 0 and found["cost_before"] > found["cost_after"]
    assert kept(people, eves) == foreign
    (line,) = people.all("select * from public.audit_log where action = 'totals.rebuilt'")
    assert (line["org_id"], line["details"]["reason"]) == (people.orgs["ada"], "a test")
    assert Decimal(line["details"]["cost"]) == before["cost"]


def test_right_sums_stay_as_they_are(people: People) -> None:
    many_calls(people)
    added = "select kind, day, sum(labels) as labels from private.label_counts group by 1, 2 order by 1, 2"
    before = people.all(added)
    for day in range(-3, 4):
        found = rebuild(people, "ada", THEN + timedelta(days=day))
        assert found["calls_before"] == found["calls_after"] and found["cost_before"] == found["cost_after"]
    all_is_well(people)
    assert people.all(added) == before


def test_calls_that_came_while_the_triggers_were_off_are_added(people: People) -> None:
    adjust(people, add_call(people, "ada", cost=1), 1, DAY)
    switch(people, "disable")
    adjust(people, add_call(people, "ada", cost=2, end_user="u1", tags={"team": "web"}), Decimal("0.5"), DAY)
    switch(people, "enable")
    assert differences(people) != []
    assert [*rebuild(people, "ada").values()] == [1, 2, 2, Decimal("4.5")]
    all_is_well(people)


def test_more_calls_than_are_added_at_once(people: People) -> None:
    for n in range(3):
        add_call(people, "ada", DAY + timedelta(hours=n), cost=1, end_user=f"u{n}")
    partition = DAY.strftime("private.usage_logs_%Y_%m")
    people.conn.execute(
        f"insert into {partition} select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid()))).*"
        " from public.usage_logs u, generate_series(1, 1000)"
    )
    assert [*rebuild(people, "ada").values()] == [3, 3, 3003, 3003]
    all_is_well(people)


def test_a_month_without_its_calls_keeps_its_sums(people: People) -> None:
    ensure(people, 2, 3)
    old = add_call(people, "ada", ago(3), cost=2, end_user="u1")
    add_call(people, "ada", ago(2), cost=1)
    adjust(people, old, 1, ago(2))
    take_out(people, 3)
    before = kept(people)
    refuse(people, ago(3).date())
    refuse(people, ago(2).date())  # the correction no longer tells its project
    people.conn.execute("select app.retention_drop(%s, 'a test', null)", [ago(3).date()])
    people.conn.execute("select app.ensure_partition(%s)", [ago(3).date()])
    refuse(people, ago(3).date())
    assert kept(people) == before
    assert rebuild(people, "ada", ago(2).date() + timedelta(days=1))["calls_after"] == 0


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "totals_rebuild") == set()
