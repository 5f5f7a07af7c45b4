"""public.model_prices: who reads which prices, and that nobody changes one."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from pricing import add_price

from webapp.postgres.shipped_prices import PRICES

LISTED = len((PRICES / "model_prices.csv").read_text().splitlines()) - 1


@pytest.fixture
def overrides(db, people):
    """One price of Acme's own and one of Evil's."""
    return {name: add_price(db, "gpt-4o", "input_text", "1", org_id=people.orgs[name]) for name in ("ada", "eve")}


def ids(people):
    return {row["id"] for row in people.all("select id from public.model_prices where source = 'test'")}


@pytest.mark.parametrize(("who", "sees"), [("ada", "ada"), ("dev", "ada"), ("eve", "eve")])
def test_people_see_the_list_and_their_own_organization_s_prices(people, overrides, who, sees):
    with people.as_(who):
        assert ids(people) == {overrides[sees]}
        assert people.one("select count(*) as n from public.model_prices where org_id is null")["n"] == LISTED


def test_somebody_without_an_organization_sees_the_list_only(people, overrides):
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert ids(people) == set()
        assert people.one("select count(*) as n from public.model_prices")["n"] == LISTED


@pytest.mark.parametrize("role", ["anon", "service_role", "spendai_web", "spendai_proxy", "spendai_auth"])
def test_no_other_role_reads_prices(people, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), people.as_role(role):
        people.one("select 1 from public.model_prices")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.model_prices (model, dimension, unit_price, unit_qty, valid_from, source)"
        " values ('gpt-4o', 'input_text', 0, 1, now(), 'me')",
        "update public.model_prices set unit_price = 0",
        "delete from public.model_prices",
        "truncate public.model_prices",
    ],
)
@pytest.mark.parametrize("role", ["ada", "anon", "service_role"])
def test_nobody_writes_prices_by_hand(people, role, statement):
    shoes = people.as_(role) if role == "ada" else people.as_role(role)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), shoes:
        people.one(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update public.model_prices set unit_price = 0",
        "delete from public.model_prices",
        "truncate public.model_prices",
    ],
)
@pytest.mark.parametrize("role", ["postgres", "supabase_admin"])
def test_a_price_cannot_be_changed_even_by_its_owner(people, role, statement):
    with people.as_role(role):
        people.refused("PT405", statement)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit_price": "-1"},
        {"unit_price": "NaN"},
        {"unit_qty": 0},
        {"unit_qty": "NaN"},
        {"model": "GPT-4o"},
        {"model": " gpt-4o"},
        {"model": ""},
        {"dimension": "Input"},
        {"service_tier": "turbo"},
        {"context_min_tokens": -1},
        {"revision": 0},
        {"valid_from": "infinity"},
    ],
)
def test_what_is_no_price_does_not_get_in(db, wrong):
    row = {"model": "m", "dimension": "input_text", "unit_price": "1"} | wrong
    with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
        add_price(db, **row)


def test_the_same_price_twice_needs_a_revision(db):
    add_price(db, "m", "input_text", "1")
    with pytest.raises(psycopg.errors.UniqueViolation), db.transaction():
        add_price(db, "m", "input_text", "2")
    add_price(db, "m", "input_text", "2", revision=2)


def test_rights_given_by_a_database_s_defaults_are_taken_back(db, people):
    db.execute("grant all on public.model_prices to public, anon, authenticated, service_role")
    db.execute((Path(__file__).parents[2] / "db/policies/model_prices.sql").read_text())
    for role in ("anon", "service_role"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), people.as_role(role):
            people.one("select 1 from public.model_prices")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), people.as_("ada"):
        people.one("delete from public.model_prices")
