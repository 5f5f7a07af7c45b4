"""app.books_links."""

from __future__ import annotations

from checks import executors
from openai_keys import keys_of_openai, provider_key
from people import People


def test_every_provider_key_is_there_with_the_link_that_holds(people: People) -> None:
    linked, free = provider_key(people), provider_key(people, "free")
    keys_of_openai(people, key_a="xyzA")
    with people.as_("ada"):
        people.one("select app.key_link_set(%s, 'key_a')", linked)
    with people.as_("dev"):
        rows = people.all("select * from app.books_links()")
    found = {row["version_id"]: (row["last4"], row["how"], row["openai_key"], row["openai_project"]) for row in rows}
    assert found == {linked: ("xyzA", "admin", "a", None), free: ("free", None, None, None)}
    with people.as_("eve"):
        assert people.all("select * from app.books_links()") == []
    assert executors(people.conn, "books_links") == {"authenticated"}
