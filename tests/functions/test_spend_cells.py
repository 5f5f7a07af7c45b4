"""app.spend_cells."""

from __future__ import annotations

from typing import Any

from checks import executors
from people import People
from spending import another_key, days_ago, spent

ROWS = "select * from app.spend_cells(%s, %s, %s, %s, '{}')"


def cells(people: People, by: str, side: str = "key", who: str = "ada") -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(ROWS, days_ago(7), days_ago(-1), by, side)


def test_there_is_a_cell_for_each_day_and_pair_of_words_and_one_for_all_that_was_before(people: People) -> None:
    project, key = another_key(people, "search")
    for at in (days_ago(0), days_ago(0), days_ago(2), days_ago(8.1), days_ago(9)):
        spent(people, at=at)
    spent(people, project_id=str(project), api_key_id=str(key))
    found = cells(people, "project")
    now = {(row["day"], row["id"], row["side"]): row["calls"] for row in found if row["is_now"]}
    chat = str(people.projects["ada"]), str(people.keys["ada"].id)
    today, then = days_ago(0).date(), days_ago(2).date()
    assert now == {(today, *chat): 2, (then, *chat): 1, (today, str(project), str(key)): 1}
    assert [(row["day"], row["calls"]) for row in found if not row["is_now"]] == [(None, 2)]
    assert all(row["whole"] for row in found)


def test_a_long_period_has_a_cell_for_each_week(people: People) -> None:
    for ago in range(3, 24):
        spent(people, at=days_ago(ago))
    with people.as_("ada"):
        found = people.all(ROWS, days_ago(95), days_ago(-1), "project", "key")
    now = [row for row in found if row["is_now"]]
    assert sum(row["calls"] for row in now) == 21 and len(now) <= 4
    assert {row["day"].weekday() for row in now} == {0}


def test_a_tag_has_cells_beside_the_call_itself(people: People) -> None:
    spent(people, tags={"team": "web", "env": "live"})
    spent(people)
    found = sorted((str(row["id"]), row["whole"], row["calls"]) for row in cells(people, "tag"))
    assert found == [("None", True, 2), ("env=live", False, 1), ("team=web", False, 1)]


def test_eve_and_nobody_see_nothing_of_acme(people: People) -> None:
    spent(people)
    assert cells(people, "project", who="eve") == []
    assert len(cells(people, "project", who="dev")) == 1
    with people.as_("nobody"):
        people.refused("42501", ROWS, days_ago(7), days_ago(0), "project", "key")
    assert executors(people.conn, "spend_cells") == {"authenticated"}
