"""app.spend_cells."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from ledgers import DAY, add_call
from people import People
from spending import PRICE, another_key, days_ago, spent

ROWS = "select * from app.spend_cells(%s, %s, %s, %s, 'UTC', %s, %s, %s, %s, '{}')"
WEEK = (days_ago(7), days_ago(-1), days_ago(15), days_ago(7))


def cells(
    people: People, by: str, side: str = "key", who: str = "ada", tag_name: str | None = None, grain: str = "day"
) -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(ROWS, *WEEK, grain, by, tag_name, side)


def test_there_is_a_cell_for_each_bar_and_pair_of_words_of_both_periods(people: People) -> None:
    project, key = another_key(people, "search")
    for at in (days_ago(0), days_ago(0), days_ago(2), days_ago(8), days_ago(9)):
        spent(people, at=at)
    spent(people, project_id=str(project), api_key_id=str(key))
    found = cells(people, "project")
    chat = str(people.projects["ada"]), str(people.keys["ada"].id)
    today, then = days_ago(0).date(), days_ago(2).date()
    now = {(row["bar"].date(), row["id"], row["side"]): row["calls"] for row in found if row["is_now"]}
    assert now == {(today, *chat): 2, (then, *chat): 1, (today, str(project), str(key)): 1}
    before = {(row["bar"].date(), row["id"], row["side"]): row["calls"] for row in found if not row["is_now"]}
    assert before == {(days_ago(8).date(), *chat): 1, (days_ago(9).date(), *chat): 1}
    assert all(row["whole"] for row in found)


def test_without_a_period_to_compare_with_there_is_only_this_one(people: People) -> None:
    spent(people)
    spent(people, at=days_ago(8))
    with people.as_("ada"):
        found = people.all(ROWS, *WEEK[:2], None, None, "day", "project", None, "key")
    assert [(row["is_now"], row["calls"]) for row in found] == [(True, 1)]


def test_a_tags_name_has_cells_beside_the_call_itself(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    spent(people)
    found = sorted((str(row["id"]), str(row["side"]), row["whole"], row["calls"]) for row in cells(people, "tag"))
    key = str(people.keys["ada"].id)
    assert found == [("None", key, True, 2), ("env", "env=live", False, 1), ("team", "team=web", False, 1)]


def test_the_values_of_one_tag_and_no_value_have_each_call_once(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    spent(people, tags={"team": "ads"})
    spent(people, tags={"env": "live", "teams": "x"})
    for side in ("key", "model"):
        found = cells(people, "tag", side, tag_name="team")
        assert sorted((row["id"], row["whole"], row["calls"]) for row in found) == [
            ("", True, 1), ("ads", True, 1), ("web", True, 1),
        ]  # fmt: skip


def test_a_person_is_who_made_the_key(people: People) -> None:
    project, key = another_key(people, "search")
    people.conn.execute("update public.api_keys set created_by = %s where id = %s", [people.ids["dev"], key])
    spent(people, end_user="u")
    spent(people, project_id=str(project), api_key_id=str(key))
    found = {row["id"]: row["calls"] for row in cells(people, "person")}
    assert found == {str(people.ids["ada"]): 1, str(people.ids["dev"]): 1}


def test_a_person_with_keys_in_several_projects_has_all_of_them_and_each_project_its_own(people: People) -> None:
    keys = [(people.projects["ada"], people.keys["ada"].id), another_key(people, "search"), another_key(people, "mail")]
    for calls, (project, key) in enumerate(keys, 1):
        for _ in range(calls):
            spent(people, project_id=str(project), api_key_id=str(key))
    shown = {(row["id"], row["side"]): row["calls"] for row in cells(people, "person", "project")}
    ada = str(people.ids["ada"])
    assert shown == {(ada, str(project)): calls for calls, (project, _) in enumerate(keys, 1)}
    with people.as_("ada"):
        (sums,) = people.all("select * from app.sums(%s, %s, array['person'], '{}', 'UTC', null, null)", *WEEK[:2])
    assert (str(sums["person_id"]), sums["calls"], sums["cost"]) == (ada, 6, 6 * Decimal(PRICE))


def test_bars_of_another_grain_begin_where_it_does(people: People) -> None:
    add_call(people, "ada", DAY + timedelta(minutes=59), cost=Decimal(1))
    add_call(people, "ada", DAY + timedelta(minutes=61), cost=Decimal(2))
    period = (DAY - timedelta(days=1), DAY + timedelta(days=1), None, None)
    with people.as_("ada"):
        hours = people.all(ROWS, *period, "hour", "model", None, "key")
        (month,) = people.all(ROWS, *period, "month", "model", None, "key")
    assert {row["bar"]: row["cost"] for row in hours} == {DAY: 1, DAY + timedelta(hours=1): 2}
    assert (month["bar"], month["cost"]) == (DAY.replace(day=1, hour=0), 3)


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert cells(people, "project", who="eve") == []
    assert len(cells(people, "project", who="dev")) == 1
    with people.as_("nobody"):
        people.refused("42501", ROWS, *WEEK, "day", "project", None, "key")
    assert executors(people.conn, "spend_cells") == {"authenticated"}
