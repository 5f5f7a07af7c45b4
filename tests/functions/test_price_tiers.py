"""app.price_tiers: the one list of the tiers of prices."""

from __future__ import annotations

import re

import psycopg
from checks import executors

from webapp.commands import price_genai, price_litellm

SERVED = [None, "auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]


def tiers(db: psycopg.Connection) -> list[str]:
    return db.execute("select app.price_tiers() as t").fetchone()["t"]


def test_the_table_accepts_exactly_these(db: psycopg.Connection) -> None:
    checks = db.execute(
        "select pg_get_constraintdef(oid) as text from pg_constraint"
        " where conrelid = 'public.model_prices'::regclass and contype = 'c'"
    )
    (text,) = [row["text"] for row in checks if "service_tier" in row["text"]]
    assert sorted(re.findall(r"'(\w+)'::text", text)) == sorted(tiers(db))


def test_every_known_served_tier_is_one_of_these_and_an_unknown_one_is_none(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select app.price_tier_of(served, batch) as t from unnest(%s::text[]) served, unnest('{f,t}'::boolean[]) batch",
        [SERVED],
    )
    assert {row["t"] for row in rows} == set(tiers(db))
    assert db.execute("select app.price_tier_of('balanced', false) = any (app.price_tiers()) as known").fetchone() == {
        "known": False
    }


def test_the_price_source_is_translated_into_these_only(db: psycopg.Connection) -> None:
    assert {*price_genai.TIERS.values(), *price_litellm.TIERS.values()} <= set(tiers(db))


def test_only_signed_in_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "price_tiers") == {"authenticated"}
