"""app.organization_purge: everything of one organization is removed, and nothing of another."""

from __future__ import annotations

import hashlib

import psycopg
import pytest
from checks import executors
from isolation.world import populate
from people import People

PURGE = "select app.organization_purge(%s) as rows"
OWNED = """
select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
    and not c.relispartition order by 1
"""
LIST_PRICES = "select p::text as price from public.model_prices p where org_id is null order by id"
PRIVATE = """
insert into private.label_counts (org_id, day, kind, name, slot, labels)
    select id, current_date, 'tag', 'team', 0, 1 from public.organizations;
insert into private.seen_responses (org_id, object_id, side, call_id, started_at)
    select id, 'resp_1', false, gen_random_uuid(), now() from public.organizations;
insert into private.upstream_objects (upstream_account, object_id, org_id, project_id, call_id, started_at)
    select 'account', id, id, gen_random_uuid(), gen_random_uuid(), now() from public.organizations;
insert into private.closed_calls (call_id, started_at, org_id, reason, closed_by)
    select gen_random_uuid(), now(), id, 'test', gen_random_uuid() from public.organizations;
insert into private.known_terms (org_id, key, price_changes, since, until, terms)
    select id, 'key', 0, '-infinity', 'infinity', '{}' from public.organizations;
"""


@pytest.fixture
def everywhere(db: psycopg.Connection) -> People:
    """Acme and Evil with rows in every table."""
    people = populate(db)
    db.execute(PRIVATE)
    return people


def rows_of(people: People, org: object) -> dict[str, tuple[int, str]]:
    """Table → number and hash of the rows of an organization."""
    found = {}
    for table in people.all(OWNED):
        texts = people.all(f"select t::text as row from {table['name']} t where org_id = %s order by 1", org)
        found[table["name"]] = len(texts), hashlib.sha256(str(texts).encode()).hexdigest()
    return found


def test_every_row_of_the_organization_goes_and_no_row_of_another_changes(everywhere: People) -> None:
    people, (acme, evil) = everywhere, (everywhere.orgs["ada"], everywhere.orgs["eve"])
    before, others = rows_of(people, acme), rows_of(people, evil)
    empty = {name for name, (rows, _) in before.items() if rows == 0}
    assert empty <= {"private.analyst_logins", "daily_labels"}, "these tables prove nothing"
    shared = people.all(LIST_PRICES)
    people.conn.execute("update public.organizations set deletes_at = now() where id = %s", [acme])
    removed = people.one(PURGE, acme)["rows"]
    people.conn.execute("set constraints all immediate")
    assert removed == sum(rows for rows, _ in before.values()) + 1
    assert {rows for rows, _ in rows_of(people, acme).values()} == {0}
    assert people.one("select * from public.organizations where id = %s", acme) is None
    assert rows_of(people, evil) == others
    assert people.all(LIST_PRICES) == shared
    assert people.all("select * from app.totals_differences('2000-01-01')") == []
    with people.as_("ada"):
        assert people.one("select * from app.me()") is None
    with people.as_("eve"):
        assert people.one("select organization from app.me()")["organization"] == "Evil"


def test_before_its_time_or_taken_back_nothing_goes(everywhere: People) -> None:
    people, acme = everywhere, everywhere.orgs["ada"]
    before = rows_of(people, acme)
    with people.as_("ada"):
        people.one("select app.organization_delete('Acme')")
    people.refused("PT409", PURGE, acme)
    people.conn.execute("update public.organizations set deletes_at = now() where id = %s", [acme])
    with people.as_("ada"):
        people.one("select app.organization_keep()")
    people.refused("PT409", PURGE, acme)
    after = rows_of(people, acme)
    assert {name for name in before if before[name] != after[name]} == {"audit_log"}
    for table in ("usage_logs", "audit_log", "provider_key_versions"):
        people.refused("PT405", f"delete from public.{table} where org_id = %s", acme)


def test_the_rows_of_a_due_organization_still_cannot_be_changed_nor_those_of_another_deleted(
    everywhere: People,
) -> None:
    people = everywhere
    people.conn.execute("update public.organizations set deletes_at = now() where id = %s", [people.orgs["ada"]])
    priced = "update public.usage_logs set cost = 0 where org_id = %s and cost_status = 'priced'"
    people.refused("PT405", priced, people.orgs["ada"])
    people.refused("PT405", "update public.audit_log set action = 'x' where org_id = %s", people.orgs["ada"])
    for table in ("usage_logs", "audit_log", "provider_key_versions", "model_prices"):
        people.refused("PT405", f"delete from public.{table} where org_id is distinct from %s", people.orgs["ada"])


def test_once_the_first_organization_is_gone_the_installs_key_serves_nobody_new(people: People) -> None:
    people.conn.execute("update public.organizations set deletes_at = now() where id = %s", [people.orgs["ada"]])
    people.one(PURGE, people.orgs["ada"])
    assert people.one("select first_org_id from private.install")["first_org_id"] is None
    people.sign_up("nia", "nia@new.test")
    with people.as_("nia"):
        assert people.one("select * from app.ensure_organization('New', 'first', false)")["books"] == "sandbox"
        assert people.one("select app.is_first_org() as first")["first"] is False


def test_an_analysts_login_goes_too(db: psycopg.Connection) -> None:
    people = People(db)
    verifier = "SCRAM-SHA-256$4096:" + "A" * 22 + "==$" + "A" * 43 + "=:" + "A" * 43 + "="
    login = people.one("select app.analyst_create('Acme', 'BI', %s) as login", verifier)["login"]
    people.conn.execute("update public.organizations set deletes_at = now() where id = %s", [people.orgs["ada"]])
    people.one(PURGE, people.orgs["ada"])
    assert people.one("select from pg_roles where rolname = %s", login) is None


def test_nobody_may_run_it_but_the_owner(people: People) -> None:
    assert executors(people.conn, "organization_purge") == set()
