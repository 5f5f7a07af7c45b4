"""app.analyst_remove: a login is gone, with its sessions and with what it left behind."""

from __future__ import annotations

import psycopg
import pytest
from analysts import new_analyst
from checks import executors
from people import People
from psycopg.sql import SQL, Identifier

REMOVE = "select app.analyst_remove(%s)"


@pytest.fixture
def acme(own_dsn: str) -> str:
    """Owner's connection string of a database with one organization that has a project."""
    with psycopg.connect(own_dsn) as conn:
        conn.execute("with o as (insert into public.organizations (name) values ('Acme') returning id)"
                     " insert into public.projects (org_id, name) select id, 'chat' from o")  # fmt: skip
    return own_dsn


def test_an_open_session_is_emptied_at_once_and_ended(acme: str) -> None:
    with (
        psycopg.connect(new_analyst(acme, "Acme"), autocommit=True) as ann,
        psycopg.connect(acme, autocommit=True) as owner,
    ):
        assert ann.execute("select name from public.projects").fetchall() == [("chat",)]
        with owner.transaction(force_rollback=True):
            owner.execute("delete from private.analyst_logins")
            assert ann.execute("select name from public.projects").fetchall() == [
                ("chat",)
            ]  # not before it is committed
        owner.execute(REMOVE, [ann.info.user])
        with pytest.raises(psycopg.OperationalError):
            ann.execute("select name from public.projects")
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(ann.info.dsn, password=ann.info.password)


def test_a_session_that_survives_its_row_sees_nothing(acme: str) -> None:
    with (
        psycopg.connect(new_analyst(acme, "Acme"), autocommit=True) as ann,
        psycopg.connect(acme, autocommit=True) as owner,
    ):
        assert ann.execute("select name from public.projects").fetchall() == [("chat",)]
        owner.execute("delete from private.analyst_logins")
        assert ann.execute("select name from public.projects").fetchall() == []
        assert ann.execute("select * from public.spend_daily").fetchall() == []
        owner.execute(SQL("drop role {}").format(Identifier(ann.info.user)))


def test_what_it_left_behind_goes_with_it(acme: str, own_dsns: tuple[str, str]) -> None:
    # As on a server where no superuser has taken this function from PUBLIC (db/superuser.sql).
    with psycopg.connect(own_dsns[1]) as superuser:
        superuser.execute("grant execute on function lo_from_bytea(oid, bytea) to spendai_analyst")
    with psycopg.connect(new_analyst(acme, "Acme"), autocommit=True) as ann:
        ann.execute("set default_transaction_read_only = off")
        ann.execute("select lo_from_bytea(0, 'filled')")
        login = ann.info.user
    with psycopg.connect(acme) as owner:
        owner.execute(REMOVE, [login])
        assert owner.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)
        assert owner.execute("select count(*) from pg_roles where rolname = %s", [login]).fetchone() == (0,)
        line = owner.execute("select details from public.audit_log where action = 'analyst.removed'").fetchone()
        assert line == ({"login": login, "name": "Ann"},)


def test_the_row_of_a_login_that_was_lost_with_its_cluster_can_be_removed(people: People) -> None:
    people.conn.execute("insert into private.analyst_logins values ('an_lost', %s, 'Ann')", [people.orgs["ada"]])
    people.conn.execute(REMOVE, ["an_lost"])
    assert people.all("select from private.analyst_logins") == []


@pytest.mark.parametrize("login", ["an_nobody", "postgres", "spendai_web", ""])
def test_nothing_but_an_analysts_login_is_removed(people: People, login: str) -> None:
    assert people.refused("PT404", REMOVE, login).diag.message_detail == "analyst_not_found"


def test_only_the_operator_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "analyst_remove") == set()
