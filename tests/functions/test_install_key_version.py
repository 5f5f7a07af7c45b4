"""app.install_key_version: the install's own OpenAI key has versions as stored keys have."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from checks import executors
from people import People

KEY = (False, b"1", "https://api.openai.com/v1")


def version(people: People, shared: bool, fingerprint: bytes | None, base_url: str) -> UUID | None:
    with people.as_role("spendai_proxy"):
        query = "select app.install_key_version(%s, %s, 'wxyz', %s) as id"
        return people.one(query, shared, fingerprint, base_url)["id"]


def current(people: People) -> list[UUID]:
    return [row["id"] for row in people.all("select id from public.provider_key_versions where until is null")]


@pytest.mark.parametrize("change", [(False, b"2", KEY[2]), (False, b"1", "https://eu.api.openai.com/v1"),
    (True, b"1", KEY[2])])  # fmt: skip
def test_another_key_base_url_or_reach_is_another_version_and_the_same_is_not(
    people: People, change: tuple[bool, bytes, str]
) -> None:
    first = version(people, *KEY)
    assert version(people, *KEY) == first
    second = version(people, *change)
    assert current(people) == [second] and second != first
    third = version(people, *KEY)
    assert current(people) == [third] and third not in (first, second)


def test_without_a_key_the_version_ends(people: People) -> None:
    version(people, *KEY)
    assert version(people, False, None, KEY[2]) is None
    assert current(people) == []


def test_only_the_gateway_may_do_it(db: psycopg.Connection) -> None:
    assert executors(db, "install_key_version") == {"spendai_proxy"}
