"""app.person_email: who somebody is or was."""

from uuid import uuid4

from checks import executors
from people import People

EMAIL = "select app.person_email(%s, %s) as e"


def test_members_and_former_members_have_a_name_in_their_own_organization_only(people: People) -> None:
    acme, evil, ada, dev = people.orgs["ada"], people.orgs["eve"], people.ids["ada"], people.ids["dev"]
    assert people.one(EMAIL, acme, dev)["e"] == "dev@acme.test"
    assert people.one(EMAIL, evil, dev)["e"] is None
    people.conn.execute("delete from public.members where user_id = %s", [ada])
    assert people.one(EMAIL, acme, ada)["e"] == "ada@acme.test"
    assert people.one(EMAIL, acme, uuid4())["e"] is None
    assert executors(people.conn, "person_email") == set()
