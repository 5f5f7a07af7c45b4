"""public.invitations: admins read their own, nobody the hash of a token."""

from __future__ import annotations

import pytest
from checks import EVERYONE, allowed, only_people_read
from people import People

COLUMNS = "id, org_id, email, role, created_by, created_at, expires_at, accepted_at, accepted_by, revoked_at"


@pytest.mark.parametrize(("who", "count"), [("ada", 1), ("dev", 0), ("eve", 0)])
def test_only_an_admin_sees_them_and_only_the_own_organizations(people: People, who: str, count: int) -> None:
    with people.as_(who):
        assert len(people.all(f"select {COLUMNS} from public.invitations")) == count


@pytest.mark.parametrize(
    "query",
    [
        "select * from public.invitations",
        "select token_hash from public.invitations",
        "select id from public.invitations where token_hash = sha256('')",
        "select i from public.invitations i",
    ],
)
def test_nobody_gets_at_a_hash(people: People, query: str) -> None:
    assert [who for who in EVERYONE if allowed(people, who, query)] == []


def test_only_people_read_and_nobody_writes(people: People) -> None:
    only_people_read(people, "invitations", COLUMNS)
