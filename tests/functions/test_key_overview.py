"""app.key_overview."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from checks import executors
from people import People
from spending import PRICE, another_key, days_ago, spent

from webapp.secrets.proxy_keys import new_key


def test_each_key_has_its_spend_of_thirty_days(people: People) -> None:
    project, key = another_key(people, "search")
    spent(people)
    spent(people, at=days_ago(40))
    with people.as_("ada"):
        found = {row["id"]: row for row in people.all("select * from app.key_overview(null)")}
    mine = found[people.keys["ada"].id]
    assert (mine["cost"], mine["calls"]) == (Decimal(PRICE), 1)
    assert (found[key]["cost"], found[key]["last_used_at"]) == (0, None)
    with people.as_("dev"):
        assert [row["id"] for row in people.all("select * from app.key_overview(%s)", project)] == [key]


def test_keys_that_ended_come_last_and_a_rotated_one_says_so(people: People) -> None:
    old, new = people.keys["ada"].id, new_key()
    _, revoked = another_key(people, "search")
    with people.as_("ada"):
        people.conn.execute("select app.key_rotate(%s, %s, %s, %s, 3600)", [old, new.id, new.prefix, new.hash])
        people.conn.execute("select app.key_revoke(%s)", [revoked])
        found = people.all("select * from app.key_overview(null)")
    assert found[-1]["id"] == revoked and found[-1]["state"] == "revoked"
    assert {row["id"]: row["was_rotated"] for row in found} == {old: True, new.id: False, revoked: False}


def test_calls_that_were_refused_today_are_told_of_each_key(people: People) -> None:
    columns = "(org_id, api_key_id, day, calls)"
    add = f"insert into public.key_refusals {columns} select org_id, id, %s, %s from public.api_keys"
    today = days_ago(0).date()
    for day, calls in ((today - timedelta(days=1), 9), (today, 214)):
        people.conn.execute(add, [day, calls])
    another_key(people, "search")
    with people.as_("dev"):
        found = {row["id"]: row["refused_today"] for row in people.all("select * from app.key_overview(null)")}
    assert found.pop(people.keys["ada"].id) == 214 and list(found.values()) == [0]


def test_eve_and_nobody_see_no_key_of_acme(people: People) -> None:
    with people.as_("eve"):
        assert [row["id"] for row in people.all("select * from app.key_overview(null)")] == [people.keys["eve"].id]
        assert people.all("select * from app.key_overview(%s)", people.projects["ada"]) == []
    assert executors(people.conn, "key_overview") == {"authenticated"}
