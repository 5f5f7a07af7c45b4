"""app.sums_source: whether daily totals, daily labels or neither answer a question."""

from __future__ import annotations

import json

import pytest
from checks import executors
from people import People

SOURCE = "select app.sums_source(%s, %s::jsonb) as source"


def source(people: People, words: str, **filters: list[str]) -> list[str] | None:
    with people.as_("ada"):
        return people.one(SOURCE, words.split(), json.dumps(filters))["source"]


ANY = {"project": ["x"], "key": ["x"]}
LESS = tuple(
    {prefix + name: ["x"]}
    for name in ("model", "endpoint", "service_tier", "status", "cost_status")
    for prefix in ("", "not_")
)


@pytest.mark.parametrize("words", ["", "day", "project key model endpoint service_tier status person kind"])
def test_without_end_users_and_tags_it_is_all_calls_whatever_else_is_asked(people: People, words: str) -> None:
    for filters in ({}, ANY, *LESS):
        assert source(people, words, **filters) == ["all"]


@pytest.mark.parametrize("kind", ["end_user", "tag"])
def test_of_end_users_and_tags_only_projects_and_keys_are_kept_apart(people: People, kind: str) -> None:
    everyone = [kind, "all", f"-{kind}"]
    asked = [(f"day {kind} project key person", {}, everyone), (kind, ANY, everyone), ("", {kind: ["x"]}, [kind]),
             ("day key", ANY | {kind: ["x"]}, [kind])]  # fmt: skip
    for words, filters, sources in asked:
        assert source(people, words, **filters) == sources
        for less in LESS:
            assert source(people, words, **(filters | less)) is None
        for less in ("model", "endpoint", "service_tier", "status", "kind", "calls"):
            assert source(people, f"{words} {less}", **filters) is None


def test_an_end_user_of_some_end_users_is_still_one_of_them(people: People) -> None:
    assert source(people, "end_user", end_user=["u1", "u2"]) == ["end_user"]


def test_calls_without_an_end_user_are_all_less_those_with_one(people: People) -> None:
    everyone = ["end_user", "all", "-end_user"]
    for filters in ({"end_user": [""]}, {"end_user": ["", "u1"]}, {"not_end_user": ["u1"]}):
        assert source(people, "day", **filters) == everyone
    assert source(people, "day", not_end_user=["", "u1"]) == ["end_user"]
    assert source(people, "day", tag=[""]) == ["all", "-tag"]


def test_end_users_and_tags_together_are_kept_nowhere(people: People) -> None:
    for words, filters in (("end_user tag", {}), ("tag", {"end_user": ["x"]}), ("end_user", {"tag": ["x"]}),
                           ("", {"end_user": ["x"], "tag": ["x"]})):  # fmt: skip
        assert source(people, words, **filters) is None


def test_a_call_that_may_fit_two_tags_could_count_twice(people: People) -> None:
    assert source(people, "day", tag=["team=a"]) == ["tag"]
    for words, tags in (("", ["team=a", "env"]), ("", []), ("tag", ["team"]), ("", ["", "env"])):
        assert source(people, words, tag=tags) is None
    assert source(people, "", not_tag=["team"]) is None


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "sums_source") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", "select app.sums_source('{}', '{}')")
