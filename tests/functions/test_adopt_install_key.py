"""app.adopt_install_key: the install's OpenAI key turns the books of those it serves."""

from __future__ import annotations

import psycopg
from checks import executors
from people import People


def books(people: People) -> dict[str, str]:
    return {row["name"]: row["books"] for row in people.all("select name, books from public.organizations")}


def adopt(people: People, shared: bool) -> None:
    with people.as_role("spendai_proxy"):
        people.one("select app.adopt_install_key(%s)", shared)


def test_an_unshared_key_turns_only_the_first_organization(people: People) -> None:
    adopt(people, False)
    assert books(people) == {"Acme": "openai", "Evil": "sandbox"}


def test_a_shared_key_turns_everyone_but_the_demo(people: People) -> None:
    people.one("insert into public.organizations (name, is_demo) values ('Demo', true) returning id")
    adopt(people, True)
    assert books(people) == {"Acme": "openai", "Evil": "openai", "Demo": "sandbox"}


def test_books_never_turn_back(people: People) -> None:
    adopt(people, True)
    adopt(people, False)
    assert books(people) == {"Acme": "openai", "Evil": "openai"}


def test_only_the_gateway_may_do_it(db: psycopg.Connection) -> None:
    assert executors(db, "adopt_install_key") == {"spendai_proxy"}
