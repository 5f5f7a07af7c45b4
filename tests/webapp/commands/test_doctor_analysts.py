"""`flask doctor`: what analysts could learn of others or do to the server, and the statements that end it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from analysts import new_analyst
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from stack import SECRETS

from webapp.commands import doctor_analysts as doctor
from webapp.config import load
from webapp.postgres.cluster import temporary
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
    assert status == "warn" and "of 1 column" in text
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


SCRAM_1 = f"SCRAM-SHA-256$1:{'A' * 22}==${'A' * 43}=:{'A' * 43}="
MD5 = "md5" + "0" * 32


@pytest.mark.parametrize("weak", [SCRAM_1, MD5])
def test_a_weak_kind_of_password_that_an_analyst_set_is_named_where_it_can_be_known(
    own_dsn: str, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    assert lines(doctor.passwords, owner) == []  # there are no analysts
    owner.execute(FILL)
    strong, login = new_analyst(own_dsn, "Acme"), new_analyst(own_dsn, "Acme", "Bob")
    assert [status for status, _ in lines(doctor.passwords, owner)] == ["ok"]
    with psycopg.connect(login, autocommit=True) as bob:
        bob.execute("set default_transaction_read_only = off")
        bob.execute(f"alter role session_user password '{weak}'")
        name = bob.info.user
    ((status, text),) = lines(doctor.passwords, owner)
    assert status == "warn" and text.startswith(f"{name} set a password")
    assert conninfo_to_dict(strong)["user"] not in text
    monkeypatch.setattr(doctor, "READS_VERIFIERS", "select false")
    assert lines(doctor.passwords, owner) == []


def test_an_analyst_whose_next_password_would_be_md5_is_named_with_the_statement_that_prevents_it(
    own_dsn: str, owner: psycopg.Connection
) -> None:
    owner.execute(FILL)
    with psycopg.connect(new_analyst(own_dsn, "Acme"), autocommit=True) as ann:
        ann.execute("set default_transaction_read_only = off")
        ann.execute("alter role session_user set password_encryption = 'md5'")
    (status, text), _ = lines(doctor.passwords, owner)
    assert status == "warn" and "would get an MD5 password" in text
    owner.execute(text.partition(": ")[2])
    assert [status for status, _ in lines(doctor.passwords, owner)] == ["ok"]


def test_transactions_that_analysts_can_prepare_are_named_and_the_advice_ends_those_there_are() -> None:
    """Only a server with this setting takes them, and the setting needs a restart: so this server is the test's own."""
    with (
        temporary(max_prepared_transactions="2") as server,
        psycopg.connect(server.dsn("supabase_admin", "temporary"), autocommit=True) as superuser,
    ):
        superuser.execute("create schema private; create table private.analyst_logins (role_name name)")
        assert lines(doctor.prepared, superuser) == []  # there are no analysts
        superuser.execute("create role an_1 login password 'x'; insert into private.analyst_logins values ('an_1')")
        ((status, text),) = lines(doctor.prepared, superuser)
        assert status == "warn" and "set max_prepared_transactions = 0" in text
        with psycopg.connect(server.dsn("an_1", "x"), autocommit=True) as analyst:
            for name in ("its", "it''s"):
                analyst.execute(f"begin; lock table pg_class in access share mode; prepare transaction '{name}'")
        told = [text for _, text in lines(doctor.prepared, superuser)]
        assert len(told) == 3 and all(text.startswith("an_1 has prepared") for text in told[1:])
        superuser.execute("drop role an_1; delete from private.analyst_logins")
        told = [text for _, text in lines(doctor.prepared, superuser)]
        assert len(told) == 3 and all(text.startswith("a removed login has prepared") for text in told[1:])
        for text in told[1:]:
            superuser.execute(text.partition("run ")[2].partition(";")[0])
        assert lines(doctor.prepared, superuser) == []
