"""public.provider_key_versions: the organization's own, and the install's where it serves the organization."""

from __future__ import annotations

import pytest
from people import ROLES, People

READ = "select last4 from public.provider_key_versions order by last4"


def versions(people: People, *, shared: bool) -> None:
    """A version of Acme's, one of Evil's and one of the install's key."""
    people.sign_up("lone", "lone@nowhere.test")
    for name, last4 in (("ada", "acme"), ("eve", "evil")):
        with people.as_(name):
            people.one("select * from app.provider_key_set(null, 'c', %s, null, 'f', true)", last4)
    with people.as_role("spendai_proxy"):
        people.one("select app.install_key_version(%s, 'f', 'inst', 'https://operator.test')", shared)


@pytest.mark.parametrize(("who", "first", "shared"), [
    ("ada", ["acme", "inst"], ["acme", "inst"]), ("dev", ["acme", "inst"], ["acme", "inst"]),
    ("eve", ["evil"], ["evil", "inst"]), ("lone", [], []),
])  # fmt: skip
@pytest.mark.parametrize("is_shared", [False, True])
def test_everyone_sees_the_own_and_the_installs_where_it_serves_them(
    people: People, who: str, first: list[str], shared: list[str], is_shared: bool
) -> None:
    versions(people, shared=is_shared)
    with people.as_(who):
        assert [row["last4"] for row in people.all(READ)] == (shared if is_shared else first)


@pytest.mark.parametrize("column", ["base_url", "fingerprint", "stored_by", "ended_by"])
def test_nobody_reads_the_address_the_fingerprint_or_who_did_it(people: People, column: str) -> None:
    for role in ROLES:
        with people.as_role(role):
            people.refused("42501", f"select {column} from public.provider_key_versions")


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("authenticated", "spendai_analyst")])
def test_no_other_role_reads_it(people: People, role: str) -> None:
    with people.as_role(role):
        people.refused("42501", READ)
