"""private.guard_provider_key_version: a version is ended once and never changed otherwise."""

from __future__ import annotations

import pytest
from people import People


@pytest.fixture
def version(people: People) -> People:
    with people.as_("ada"):
        people.one("select * from app.provider_key_set(null, 'c', 'wxyz', null, 'f', false)")
    return people


@pytest.mark.parametrize("change", [
    "last4 = 'abcd'", "base_url = 'https://x.test'", "since = now() - interval '1 day'", "ended_by = stored_by",
    "until = now(), fingerprint = null", "until = now(), org_id = null", "shared = true", "id = gen_random_uuid()",
])  # fmt: skip
def test_nothing_but_its_end_can_be_set(version: People, change: str) -> None:
    version.refused("PT405", f"update public.provider_key_versions set {change}")


def test_it_is_ended_once_and_stays_ended(version: People) -> None:
    version.conn.execute("update public.provider_key_versions set until = now()")
    for change in ("until = null", "until = now() + interval '1 s'"):
        version.refused("PT405", f"update public.provider_key_versions set {change}")


def test_it_cannot_be_deleted(version: People) -> None:
    version.refused("PT405", "delete from public.provider_key_versions")
    version.refused("PT405", "truncate public.provider_key_versions cascade")
