"""app.member_keys: the keys that one person made."""

from __future__ import annotations

from decimal import Decimal

from checks import executors
from people import People
from spending import PRICE, another_key, spent

KEYS = "select * from app.member_keys(%s)"


def test_they_are_rows_of_the_key_overview_active_ones_first(people: People) -> None:
    _, revoked = another_key(people, "search")
    spent(people)
    people.conn.execute("update public.api_keys set revoked_at = now() where id = %s", [revoked])
    with people.as_("dev"):
        found = people.all(KEYS, people.ids["ada"])
        overview = people.all("select * from app.key_overview(null)")
        assert people.all(KEYS, people.ids["dev"]) == []
    assert found == overview
    assert [row["id"] for row in found] == [people.keys["ada"].id, revoked]
    assert (found[0]["cost"], found[0]["calls"]) == (Decimal(PRICE), 1)


def test_the_keys_of_a_former_member_are_still_found(people: People) -> None:
    people.conn.execute(
        "update public.api_keys set created_by = %s where id = %s", [people.ids["dev"], people.keys["ada"].id]
    )
    with people.as_("ada"):
        people.conn.execute("select app.member_remove(%s)", [people.ids["dev"]])
        assert [row["id"] for row in people.all(KEYS, people.ids["dev"])] == [people.keys["ada"].id]


def test_eve_sees_none_of_them_and_only_people_may_ask(people: People) -> None:
    with people.as_("eve"):
        assert people.all(KEYS, people.ids["ada"]) == []
    with people.as_("nobody"):
        people.refused("42501", KEYS, people.ids["ada"])
    assert executors(people.conn, "member_keys") == {"authenticated"}
