"""app.known_terms: always what app.price_terms says now, although most of the time it is kept from an earlier call."""

from __future__ import annotations

import psycopg
import pytest
from checks import blocks_read, executors
from people import People
from psycopg.rows import dict_row

MODEL, SOON = "gpt-4o", "2090-01-01"
PRICE = """
insert into public.model_prices (org_id, model, dimension, unit_price, unit_qty, valid_from, source)
values (%s, %s, 'input_text', %s, 1000000, %s, 'test')
"""
ALIAS = "insert into public.price_aliases (pattern, kind, model, ord) values"
ENDPOINT = "'/v1/chat/completions'"
BOTH = f"""
select app.known_terms(row(%s::uuid, {ENDPOINT}, %s, %s, null, null, 'default', false, false, null), t.at) as known,
    app.price_terms(%s::uuid, {ENDPOINT}, %s, %s, null, null, 'standard', false, null, t.at) as found
from (select coalesce(%s::timestamptz, clock_timestamp()) as at) t
"""


def price(people: People, model: str = MODEL, at: str | None = None, whose: str = "ada") -> str | None:
    """What input costs by the kept terms, twice the same as by those found now."""
    arguments = (people.orgs[whose], model, model) * 2 + (at,)
    first, second = (people.one(BOTH, *arguments) for _ in range(2))
    assert first["known"] == first["found"] == second["known"] == second["found"]
    offers = first["known"]["sheet"].get("input_text")
    return offers and str(offers[0]["unit_price"])


def kept(people: People) -> int:
    return people.one("select count(*) from private.known_terms")["count"]


def test_what_one_call_found_the_next_one_gets(people: People) -> None:
    price(people)
    assert kept(people) == 1
    people.conn.execute("""update private.known_terms set terms = '{"model": "kept"}'""")
    assert people.one(BOTH, *(people.orgs["ada"], MODEL, MODEL) * 2, None)["known"] == {"model": "kept"}
    assert price(people, whose="eve") and kept(people) == 2, "each organization for itself"


@pytest.mark.parametrize("change", [
    f"{ALIAS} ('my-own', 'exact', 'gpt-4.1', 0)",
    "update public.price_aliases set model = 'gpt-4.1' where pattern = 'my-own'",
    "delete from public.price_aliases where pattern = 'my-own'",
])  # fmt: skip
def test_a_change_of_an_alias_counts_at_once(people: People, change: str) -> None:
    if not change.startswith("insert"):
        people.conn.execute(
            "insert into public.price_aliases (pattern, kind, model, ord) values ('my-own', 'exact', 'gpt-4o', 0)"
        )
    before = price(people, "my-own")
    people.conn.execute(change)
    assert price(people, "my-own") != before


def test_a_new_price_counts_at_once_also_of_an_organization(people: People) -> None:
    before = price(people)
    people.conn.execute(PRICE, [people.orgs["ada"], MODEL, "77", "-infinity"])
    assert price(people) == "77" != before
    assert price(people, whose="eve") == before


def test_a_price_counts_from_its_moment_on(people: People) -> None:
    people.conn.execute(PRICE, [None, MODEL, "88", SOON])
    now = price(people)
    assert price(people, at=f"{SOON} 00:00+00") == "88" != now
    assert price(people, at="2089-12-31 23:59:59+00") == now
    assert price(people) == now


def test_a_change_that_is_committed_while_terms_are_kept_voids_them(own_dsn: str) -> None:
    with psycopg.connect(own_dsn, autocommit=True, row_factory=dict_row) as conn, psycopg.connect(own_dsn) as other:
        people = People(conn)
        other.execute(PRICE, [None, MODEL, "99", "2026-11-01"])
        before = price(people)
        assert kept(people) == 1
        other.commit()
        assert price(people) == "99" != before


def test_only_present_calls_of_models_with_a_price_are_kept(people: People) -> None:
    price(people, at="2026-08-01")
    price(people, model="gpt-no-such")
    assert people.one(BOTH, *(None, MODEL, MODEL) * 2, None)["known"] and kept(people) == 0


def test_new_questions_are_kept_quickly_and_never_too_many(people: People) -> None:
    """As of calls that each name a model of their own, which a server of the organization's serves with one it has."""
    people.conn.execute(
        "insert into private.known_terms (org_id, key, price_changes, since, until, terms)"
        " select gen_random_uuid(), n::text, 0, '-infinity', 'infinity', '{}' from generate_series(1, 5000) n"
    )
    before, questions = blocks_read(people, "INDEX known_terms_pkey"), 2000
    people.conn.execute(
        f"select app.known_terms(row(%s::uuid, {ENDPOINT}, %s, n::text, null, null, 'default', false, false, null),"
        " clock_timestamp()) from generate_series(1, %s) n",
        [people.orgs["ada"], MODEL, questions],
    )
    assert (blocks_read(people, "INDEX known_terms_pkey") - before) / questions < 12
    assert 0 < kept(people) <= questions


def test_nobody_but_the_owner_may_run_it(db) -> None:
    assert executors(db, "known_terms") == set()
