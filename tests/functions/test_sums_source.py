"""app.sums_source: whether daily totals, daily labels or neither answer a question."""

from __future__ import annotations

import json

import pytest
from checks import executors
from people import People

SOURCE = "select app.sums_source(%s, %s::jsonb) as source"


def source(people: People, words: str, **filters: list[str]) -> str | None:
    with people.as_("ada"):
        return people.one(SOURCE, words.split(), json.dumps(filters))["source"]


ANY = {"project": ["x"], "key": ["x"]}
LESS = tuple(
    {prefix + name: ["x"]}
    for name in ("model", "endpoint", "service_tier", "status", "cost_status")
    for prefix in ("", "not_")
)


@pytest.mark.parametrize("words", ["", "day", "project key model endpoint service_tier status"])
def test_without_end_users_and_tags_it_is_all_calls_whatever_else_is_asked(people: People, words: str) -> None:
    for filters in ({}, ANY, *LESS):
        assert source(people, words, **filters) == "all"


@pytest.mark.parametrize("kind", ["end_user", "tag"])
def test_of_end_users_and_tags_only_projects_and_keys_are_kept_apart(people: People, kind: str) -> None:
    asked = [(f"day {kind} project key", {}), (kind, ANY), ("", {kind: ["x"]}), ("day key", ANY | {kind: ["x"]})]
    for words, filters in asked:
        assert source(people, words, **filters) == kind
        for less in LESS:
            assert source(people, words, **(filters | less)) is None
        for less in ("model", "endpoint", "service_tier", "status"):
            assert source(people, f"{words} {less}", **filters) is None


def test_an_end_user_of_some_end_users_is_still_one_of_them(people: People) -> None:
    assert source(people, "end_user", end_user=["u1", "u2"]) == "end_user"


def test_end_users_and_tags_together_are_kept_nowhere(people: People) -> None:
    for words, filters in (("end_user tag", {}), ("tag", {"end_user": ["x"]}), ("end_user", {"tag": ["x"]}),
                           ("", {"end_user": ["x"], "tag": ["x"]})):  # fmt: skip
        assert source(people, words, **filters) is None


def test_a_call_that_may_fit_two_tags_could_count_twice(people: People) -> None:
    assert source(people, "day", tag=["team=a"]) == "tag"
    for words, tags in (("", ["team=a", "env"]), ("", []), ("tag", ["team"])):
        assert source(people, words, tag=tags) is None


def test_calls_without_some_end_user_or_tag_are_in_no_daily_label(people: People) -> None:
    for kind in ("end_user", "tag"):
        for words in ("", "day project", kind):
            assert source(people, words, **{f"not_{kind}": ["x"]}) is None
            assert source(people, words, **{kind: [""]}) is None


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "sums_source") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", "select app.sums_source('{}', '{}')")
