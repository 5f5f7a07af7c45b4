"""app.organization_untouched: whether an organization may vanish when its only person moves out."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People

UNTOUCHED = "select app.organization_untouched(%s, %s) as untouched"


@pytest.fixture
def lone(people: People) -> People:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        people.orgs["lone"] = people.one("select * from app.ensure_organization(null, 'none', false)")["org_id"]
    return people


def untouched(people: People, who: str) -> bool:
    return people.one(UNTOUCHED, people.orgs[who], people.ids[who])["untouched"]


def test_an_automatic_organization_is_untouched(lone: People) -> None:
    assert untouched(lone, "lone")


@pytest.mark.parametrize("change", [
    "insert into public.projects (org_id, name) values (%s, 'p')",
    "insert into public.audit_log (org_id, action) values (%s, 'organization.renamed')",
    "insert into public.invitations (org_id, email, role, token_hash, created_by)"
    " values (%s, 'x@y.test', 'admin', sha256(''), gen_random_uuid())",
    "with made as (insert into public.provider_key_versions (org_id, last4)"
    " values (%s, 'abcd') returning *)"
    " insert into private.provider_keys (id, org_id, last4, ciphertext)"
    " select id, org_id, last4, 'c' from made",
    "insert into public.model_prices (org_id, model, dimension, unit_price, unit_qty, valid_from, source)"
    " values (%s, 'm', 'input_text', 1, 1, now(), 'contract')",
    "update private.install set first_org_id = %s",
])  # fmt: skip
def test_anything_in_it_makes_it_touched(lone: People, change: str) -> None:
    lone.conn.execute(change, [lone.orgs["lone"]])
    assert not untouched(lone, "lone")


def test_another_member_makes_it_touched(lone: People) -> None:
    lone.conn.execute("update public.members set org_id = %s where user_id = %s", [lone.orgs["lone"], lone.ids["dev"]])
    assert not untouched(lone, "lone")


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "organization_untouched") == set()
