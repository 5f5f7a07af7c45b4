"""app.provider_key_history: the versions of provider keys, and whose are told to whom."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from checks import executors
from people import People

SET = "select * from app.provider_key_set(%s, 'c', %s, %s, 'f', false)"
ADOPT = "select app.install_key_version(%s, 'install', 'inst', 'https://operator.test/v1')"


def history(people: People, name: str) -> list[dict[str, Any]]:
    with people.as_(name):
        return people.all("select * from app.provider_key_history()")


def test_replacing_and_deleting_a_key_end_versions_and_overwrite_none(people: People) -> None:
    with people.as_("ada"):
        people.one(SET, None, "aaaa", "https://eu.api.openai.com/v1")
        people.one(SET, None, "bbbb", None)
        people.one(SET, people.projects["ada"], "cccc", None)
        people.one("select app.provider_key_delete(null)")
    project, second, first = history(people, "ada")
    assert (first["last4"], first["base_url"]) == ("aaaa", "https://eu.api.openai.com/v1")
    assert first["since"] < first["until"] < second["until"] and second["last4"] == "bbbb"
    assert (project["project"], project["last4"], project["until"]) == ("chat", "cccc", None)
    assert history(people, "dev") == history(people, "ada")
    assert history(people, "eve") == []


@pytest.mark.parametrize(("shared", "readers"), [(False, {"ada", "dev"}), (True, {"ada", "dev", "eve"})])
def test_the_installs_key_is_told_to_those_it_serves_without_its_base_url(
    people: People, shared: bool, readers: set[str]
) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_role("spendai_proxy"):
        people.one(ADOPT, shared)
    told = {name: history(people, name) for name in ("ada", "dev", "eve", "lone")}
    assert {name for name, rows in told.items() if rows} == readers
    (row,) = told["ada"]
    assert (row["install"], row["last4"], row["base_url"], row["until"]) == (True, "inst", None, None)
    for name, rows in told.items():
        with people.as_(name):
            seen = people.all("select id, last4, since from public.provider_key_versions")
            assert [version["id"] for version in seen] == [version["id"] for version in rows]
            people.refused("42501", "select base_url from public.provider_key_versions")


def test_members_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "provider_key_history") == {"authenticated"}
