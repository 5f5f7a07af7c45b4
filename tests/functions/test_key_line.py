"""app.key_line: the generations of a key."""

from __future__ import annotations

from uuid import UUID, uuid4

from checks import executors
from people import People
from spending import another_key

from webapp.secrets.proxy_keys import new_key

LINE = "select * from app.key_line(%s)"


def rotated(people: People, old: UUID) -> UUID:
    """The key that replaces an old one, made as Ada."""
    new = new_key()
    with people.as_("ada"):
        people.one("select app.key_rotate(%s, %s, %s, %s, 3600)", old, new.id, new.prefix, new.hash)
    return new.id


def test_every_generation_finds_all_of_them_oldest_first(people: People) -> None:
    another_key(people, "search")
    line = [people.keys["ada"].id]
    for _ in range(3):
        line.append(rotated(people, line[-1]))
    with people.as_("dev"):
        for key in line:
            assert [(row["id"], row["generation"]) for row in people.all(LINE, key)] == [
                *zip(line, range(1, 5), strict=True)
            ]


def test_eve_and_nobody_find_none_of_acme(people: People) -> None:
    with people.as_("eve"):
        assert people.all(LINE, people.keys["ada"].id) == people.all(LINE, uuid4()) == []
    with people.as_("nobody"):
        people.refused("42501", LINE, people.keys["ada"].id)
    assert executors(people.conn, "key_line") == {"authenticated"}
