"""public.price_aliases: everyone signed in reads, nobody writes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from webapp.postgres.shipped_prices import PRICES

LISTED = len((PRICES / "price_aliases.csv").read_text().splitlines()) - 1


@pytest.mark.parametrize("who", ["ada", "dev", "eve"])
def test_people_see_all_aliases(people, who):
    with people.as_(who):
        assert people.one("select count(*) as n from public.price_aliases")["n"] == LISTED


@pytest.mark.parametrize("role", ["anon", "service_role", "spendai_web", "spendai_proxy", "spendai_auth"])
def test_no_other_role_reads_aliases(people, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), people.as_role(role):
        people.one("select 1 from public.price_aliases")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.price_aliases values ('regex', '.*', 'gpt-5-nano', 0)",
        "update public.price_aliases set model = 'gpt-5-nano'",
        "delete from public.price_aliases",
        "truncate public.price_aliases",
    ],
)
@pytest.mark.parametrize("role", ["ada", "anon", "service_role"])
def test_nobody_writes_aliases_by_hand(people, role, statement):
    shoes = people.as_(role) if role == "ada" else people.as_role(role)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), shoes:
        people.one(statement)


@pytest.mark.parametrize(
    ("kind", "pattern", "error"),
    [
        ("regex", "(", psycopg.errors.InvalidRegularExpression),
        ("exact", "GPT-4o", psycopg.errors.CheckViolation),
        ("glob", "gpt-*", psycopg.errors.CheckViolation),
        ("exact", "gpt-4o", psycopg.errors.UniqueViolation),
    ],
)
def test_a_pattern_that_could_not_match_does_not_get_in(db, kind, pattern, error):
    with pytest.raises(error), db.transaction():
        db.execute("insert into public.price_aliases values (%s, %s, 'gpt-4o', 1)", [kind, pattern])


def test_rights_given_by_a_database_s_defaults_are_taken_back(db, people):
    db.execute("grant all on public.price_aliases to public, anon, authenticated, service_role")
    db.execute((Path(__file__).parents[2] / "db/policies/price_aliases.sql").read_text())
    for role in ("anon", "service_role"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), people.as_role(role):
            people.one("select 1 from public.price_aliases")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), people.as_("ada"):
        people.one("delete from public.price_aliases")
