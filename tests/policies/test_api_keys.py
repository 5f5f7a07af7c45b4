"""public.api_keys: everyone in the organization sees which keys there are, nobody a hash."""

from __future__ import annotations

import pytest
from checks import EVERYONE, allowed, only_people_read
from people import People

COLUMNS = (
    "id, org_id, project_id, name, prefix, created_at, created_by, expires_at, revoked_at, revoked_by, rotated_from"
)


@pytest.mark.parametrize(("who", "owner"), [("ada", "ada"), ("dev", "ada"), ("eve", "eve")])
def test_everyone_sees_the_own_organizations_keys_alone(people: People, who: str, owner: str) -> None:
    with people.as_(who):
        assert [row["id"] for row in people.all(f"select {COLUMNS} from public.api_keys")] == [people.keys[owner].id]


@pytest.mark.parametrize("query", ["select * from public.api_keys", "select key_hash from public.api_keys",
    "select id from public.api_keys where key_hash = sha256('')", "select k from public.api_keys k",
    "select id from public.api_keys order by key_hash", "copy public.api_keys to stdout"])  # fmt: skip
def test_nobody_gets_at_a_hash(people: People, query: str) -> None:
    assert [who for who in EVERYONE if allowed(people, who, query)] == []


def test_only_people_and_analysts_read_and_nobody_writes(people: People) -> None:
    only_people_read(people, "api_keys", COLUMNS, analysts=True)
