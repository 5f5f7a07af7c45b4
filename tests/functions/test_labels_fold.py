"""app.labels_fold: a dropped month keeps its sums, but no longer says which end users and values of tags there were."""

from __future__ import annotations

from datetime import timedelta

from checks import executors
from ledgers import add_call
from months import ago, ensure
from people import People
from test_retention_drop import drop, shown, then
from totals import VIEWS, differences

FOLD = "select app.labels_fold(%s) as saved"


def sums(people: People, view: str) -> dict[object, tuple[object, ...]]:
    """Calls and dollars per day, and per tag name where the view has tags."""
    found: dict[object, list[object]] = {}
    for row in shown(people, view):
        group = found.setdefault((row["day"], (row.get("tag") or "").partition("=")[0]), [0, 0])
        group[0] += row["calls"]
        group[1] += row["cost"]
    return {key: tuple(value) for key, value in found.items()}


def by_hour(people: People) -> list[dict[str, object]]:
    """Calls and dollars of each hour by tag name."""
    return people.all(
        "select hour, kind, split_part(label, '=', 1) as name, sum(calls) as calls, sum(cost) as cost"
        " from public.hourly_labels where kind <> 'end_user' group by 1, 2, 3 order by 1, 2, 3"
    )


def test_the_sums_of_a_dropped_month_stay_and_its_labels_are_gone(people: People) -> None:
    ensure(people, 2, 3)
    for n in range(6):
        tags = {"team": f"t{n}", "env": "live"} if n % 2 else {}
        add_call(people, "ada", then() + timedelta(days=n % 3), cost=1, end_user=f"u{n}", tags=tags)
    add_call(people, "ada", then(), cost=1)
    add_call(people, "ada", ago(2), cost=2, end_user="later", tags={"team": "later"})
    drop(people)
    before, hours = {view: sums(people, view) for view in VIEWS}, by_hour(people)
    assert len(hours) > 3
    assert people.one(FOLD, ago(3).date())["saved"] == 3 + 3, "of days and of their hours"
    assert {view: sums(people, view) for view in VIEWS} == before
    assert by_hour(people) == hours
    folded = "select distinct label from public.hourly_labels where hour < %s and kind <> 'tagged'"
    assert {row["label"] for row in people.all(folded, ago(2))} == {"(other)", "team=(other)", "env=(other)"}
    assert {row["end_user"] for row in shown(people, "spend_by_end_user")} == {None, "(other)", "later"}
    tags = {row["tag"] for row in shown(people, "spend_by_tag")}
    assert tags == {"team=(other)", "env=(other)", "team=later"}
    assert differences(people) == []
    assert people.all("select * from private.label_counts where day < %s", ago(2).date()) == []
    assert people.one(FOLD, ago(3).date())["saved"] == 0, "once is enough"


def test_a_month_whose_calls_are_there_is_refused(people: People) -> None:
    assert people.refused("PT409", FOLD, ago(2).date()).diag.message_detail == "month_attached"


def test_nobody_but_the_owner_may_run_it(db) -> None:
    assert executors(db, "labels_fold") == set()
