"""app.books_state: changes whenever a comparison may."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D

import pytest
from checks import executors
from ledgers import adjust
from openai_books import DAY, call, doubtful, fetch, linked_key, minute, moment
from people import People

MINI, FEW = "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5}


def state(people: People) -> str:
    return people.one("select app.books_state(%s, %s) as state", people.orgs["ada"], DAY)["state"]


def alias(people: People, *_: object) -> None:
    people.conn.execute(
        "insert into public.line_aliases (org_id, line_item, means) values (%s, 'x', 'y')", [people.orgs["ada"]]
    )


CHANGES: dict[str, Callable[..., object]] = {
    "a fetch": lambda people, *_: fetch(people, {DAY: []}),
    "a call": lambda people, key, _: call(people, key, moment("12:00:00"), MINI, FEW),
    "a call without usage": lambda people, key, _: call(
        people, key, moment("12:00:00"), MINI, None, cost=None, cost_status="no_usage"),
    "a call in doubt": lambda people, key, _: doubtful(people, key, moment("12:00:00"), MINI),
    "a correction": lambda people, _, made: adjust(people, made, D(1), moment("12:00:00")),
    "a link that ended": lambda people, *_: people.conn.execute("update public.key_links set ended_at = now()"),
    "the money that is shown": lambda people, *_: people.conn.execute(
        "update public.organizations set books = 'sandbox'"),
    "an alias": alias,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_changes_it(people: People, change: str) -> None:
    key = linked_key(people)
    fetch(people, {DAY: []})
    made = call(people, key, moment("09:00:00"), MINI, FEW)
    before = state(people)
    assert state(people) == before
    CHANGES[change](people, key, made)
    assert state(people) != before


def test_what_another_organization_does_changes_nothing(people: People) -> None:
    linked_key(people)
    fetch(people, {DAY: []})
    before = state(people)
    key = linked_key(people, "eve", "key_evil")
    minute(people, fetch(people, {DAY: []}, "eve"), moment("12:00:00"), MINI)
    call(people, key, moment("12:00:00"), MINI, FEW, who="eve")
    assert state(people) == before


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "books_state") == set()
