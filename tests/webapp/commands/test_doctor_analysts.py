"""`flask doctor`: what analysts could learn of others or do to the server, and the statements that end it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from analysts import new_analyst
from psycopg.conninfo import make_conninfo
from stack import SECRETS

from webapp.commands import doctor_analysts as doctor
from webapp.config import load
from webapp.postgres.migrations import migrate

FILL = """
insert into public.organizations (name) values ('Acme');
alter table public.organizations alter name set statistics 100;
analyze public.organizations
"""


@pytest.fixture
def owner(own_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_dsn, autocommit=True) as conn:
        yield conn


@pytest.fixture
def superuser(own_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(make_conninfo(own_dsn, user="supabase_admin"), autocommit=True) as conn:
        yield conn


def lines(check: doctor.Check, conn: psycopg.Connection) -> list[tuple[str, str]]:
    return list(check(load(SECRETS), conn))


def test_statistics_that_were_collected_before_are_named_and_the_advice_deletes_them(
    own_dsn: str, owner: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    assert lines(doctor.statistics, owner)[0][0] == "ok"
    owner.execute(FILL)
    ((status, text),) = lines(doctor.statistics, owner)
    assert status == "warn" and "of 1 columns" in text
    if text.endswith("run flask migrate"):
        migrate(own_dsn)
    else:
        superuser.execute(text.partition("as a superuser, run ")[2])
    assert lines(doctor.statistics, owner)[0][0] == "ok"


def test_what_analysts_may_do_to_the_server_is_named_with_the_statements_that_end_it(
    own_dsn: str, owner: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    superuser.execute("grant execute on function pg_advisory_lock(bigint), lo_create(oid) to public")
    assert lines(doctor.limits, owner) == []  # there are no analysts
    owner.execute(FILL)
    login = new_analyst(own_dsn, "Acme")
    told = lines(doctor.limits, owner)
    assert {status for status, _ in told} == {"warn"}
    assert "run the 2 statements below" in told[0][1]
    with psycopg.connect(login) as ann:
        ann.execute("select pg_advisory_lock(1)")
    for _, statement in told[1:]:
        superuser.execute(statement)
    assert [status for status, _ in lines(doctor.limits, owner)] == ["ok"]
    with psycopg.connect(login) as ann, pytest.raises(psycopg.errors.InsufficientPrivilege):
        ann.execute("select pg_advisory_lock(1)")
    owner.execute("select pg_try_advisory_lock(1)")  # the product's functions run as the owner
