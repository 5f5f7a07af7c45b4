"""app.setup_state."""

from __future__ import annotations

from typing import Any

from checks import executors
from people import People
from spending import another_key, spent


def state(people: People, who: str) -> dict[str, Any]:
    with people.as_(who):
        return people.one("select * from app.setup_state()")


def test_a_new_organization_has_nothing_yet(people: People) -> None:
    people.sign_up("nia", "nia@new.test")
    with people.as_("nia"):
        people.conn.execute("select app.ensure_organization('New', 'none', false)")
    assert set(state(people, "nia").values()) == {None, False}
    with people.as_("nia"):
        people.conn.execute("select app.project_create('first')")
    row = state(people, "nia")
    assert (row["project"], row["key_id"], row["last_call_at"]) == ("first", None, None)


def test_it_names_a_key_that_works_and_its_project(people: People) -> None:
    project, key = another_key(people, "search")
    with people.as_("ada"):
        people.conn.execute("select app.key_revoke(%s)", [people.keys["ada"].id])
    row = state(people, "ada")
    assert (row["project_id"], row["project"], row["key_id"]) == (project, "search", key)
    with people.as_("ada"):
        people.conn.execute("select app.project_update(%s, null, true, null)", [project])
    row = state(people, "ada")
    assert (row["project"], row["key_id"]) == ("chat", None)


def test_it_knows_whether_an_openai_key_serves_and_whether_somebody_was_invited(people: People) -> None:
    assert (state(people, "eve")["openai"], state(people, "eve")["team"]) == (False, False)
    people.conn.execute("update public.organizations set books = 'openai' where id = %s", [people.orgs["eve"]])
    with people.as_("eve"):
        people.conn.execute("select app.invitation_create('fay@evil.test', 'developer', %s)", [b"t" * 32])
    assert (state(people, "eve")["openai"], state(people, "eve")["team"]) == (True, True)
    assert (state(people, "ada")["openai"], state(people, "ada")["team"]) == (False, True)


def test_it_knows_when_the_last_call_was_but_not_those_of_others(people: People) -> None:
    call = spent(people)
    at = people.one("select started_at from public.usage_logs where id = %s", call)["started_at"]
    assert state(people, "dev")["last_call_at"] == at
    assert state(people, "eve")["last_call_at"] is None
    assert executors(people.conn, "setup_state") == {"authenticated"}
