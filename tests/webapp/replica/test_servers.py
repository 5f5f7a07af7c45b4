"""A server that must not be read: another cluster, no replica, another database, too old, too far behind, away."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pooler
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from replicas import standby_of
from replicated import Replicated, replica_of
from stack import free_port

from webapp import db
from webapp.replica import servers
from webapp.replica.servers import FAR, FAR_BEHIND, Server


def problem(replicated: Replicated, read: str) -> str:
    """Why a server is not read, in words."""
    watched = replica_of(replicated.site.config, read)
    try:
        watched.look()
        return watched.problem
    finally:
        watched.close()


def test_the_primary_itself_is_no_replica(replicated: Replicated) -> None:
    assert "no replica" in problem(replicated, db.dsn(replicated.site.config, "spendai_auth"))


def test_a_server_of_another_cluster_is_refused(
    replicated: Replicated, stack_dsns: Callable[[str], tuple[str, str]]
) -> None:
    owner, _ = stack_dsns("spendai_elsewhere")
    assert "system identifiers differ" in problem(replicated, owner)


@pytest.mark.parametrize(("changes", "said"), [
    ({"password": "hush"}, 'password authentication failed for user "spendai_auth"'),
    ({"dbname": "nothing_like_it"}, 'database "nothing_like_it" does not exist'),
    ({"dbname": "template1", "user": "supabase_admin", "password": "temporary"}, "database without app.server_state"),
    ({"host": "127.0.0.1", "port": free_port()}, "failed: Connection refused)"),
    ({"host": "127.0.0.1,127.0.0.1", "port": f"{free_port()},{free_port()}"}, "failed: Connection refused)"),
])  # fmt: skip
def test_an_address_that_is_wrong_is_named_without_its_password(
    replicated: Replicated, changes: dict[str, str], said: str
) -> None:
    read = make_conninfo(db.dsn(replicated.site.config, "spendai_auth", read=True), **changes)
    found = problem(replicated, read)
    assert said in found and "\n" not in found and db.password(replicated.site.config, "spendai_auth") not in found
    assert "hush" not in found


def test_a_replica_with_an_older_schema_is_not_read(replicated: Replicated, monkeypatch: pytest.MonkeyPatch) -> None:
    replicated.look()
    monkeypatch.setattr(replicated.watched, "_newest", "db/migrations/9999_to_come.sql")
    replicated.watched.look()
    assert replicated.watched.problem.startswith("has an older schema than this gateway (db/migrations/0")


def test_a_replica_behind_a_pooler_is_read(replicated: Replicated) -> None:
    pooler.needed()
    config = replicated.site.config
    with pooler.Pooler(replicated.standby.server, replicated.site.admin) as pooled:
        replicated.standby.catch_up()  # the pooler's own role comes from the primary
        assert problem(replicated, pooled.through(db.dsn(config, "spendai_auth", read=True))) == ""


def test_a_replica_far_behind_is_left_with_one_line_and_taken_again(
    replicated: Replicated, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watched = replicated.watched
    replicated.look()
    watched.look()
    caplog.clear()
    replicated.standby.hold()
    with psycopg.connect(replicated.site.admin) as conn:
        conn.execute("set synchronous_commit = on")
        conn.execute("select pg_logical_emit_message(true, 'test', 'what the replica lacks')")
    watched.look()
    assert watched.problem == ""
    as_of = watched.as_of
    watched.look()
    assert watched.as_of == as_of, "the moment does not go on while the replica does not"
    # As if the replica had been held for longer than it may be.
    watched._seen[0] = (watched._seen[0][0] - FAR - timedelta(seconds=1), watched._seen[0][1])
    for _ in range(3):
        watched.look()
        assert watched.problem == FAR_BEHIND
    replicated.standby.go_on()
    replicated.look()
    assert watched.as_of > as_of
    said = [record.message for record in caplog.records]
    assert said == [
        f"DATABASE_URL_READ {FAR_BEHIND}: pages and the API read the primary",
        "DATABASE_URL_READ is in use: pages and the API read the replica",
    ]


def test_a_replica_away_is_left_with_one_line(replicated: Replicated, caplog: pytest.LogCaptureFixture) -> None:
    replicated.look()
    caplog.clear()
    replicated.standby.server.stop()
    try:
        for _ in range(3):
            replicated.watched.look()
        assert replicated.watched.problem.startswith("cannot be reached")
        assert [record.levelname for record in caplog.records] == ["WARNING"]
    finally:
        replicated.standby.server.start()
    replicated.look()


def test_a_replica_that_was_promoted_is_read_only_while_the_primary_is_away(
    replicated: Replicated, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standby_of(replicated.primary) as promoted:
        read = make_conninfo(
            db.dsn(replicated.site.config, "spendai_auth", read=True), host=str(promoted.server.socket)
        )
        watched = replica_of(replicated.site.config, read)
        promoted.catch_up()
        watched.look()
        assert watched.problem == ""
        promoted.ask("select pg_promote()")
        watched.look()
        assert "it was promoted" in watched.problem
        monkeypatch.setattr(watched._primary, "ask", lambda: "cannot be reached")
        watched.look()
        assert watched.problem == "" and not watched.primary_answers
        watched.close()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTERM], ids=["is_silent", "is_closed"])
def test_a_primary_of_which_only_one_connection_fails_is_not_away(
    replicated: Replicated, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(servers, "ANSWER_SECONDS", 0.1)
    watched = replica_of(replicated.site.config)
    watched.look()
    connection = watched._primary._conn
    session = connection.info.backend_pid
    os.kill(session, number)
    try:
        watched.look()
        assert watched.primary_answers and connection.closed
    finally:
        if number == signal.SIGSTOP:
            os.kill(session, signal.SIGCONT)
        watched.close()


def test_a_gateway_that_starts_while_the_primary_is_away_does_not_trust_a_replica(
    replicated: Replicated, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = replica_of(replicated.site.config)
    monkeypatch.setattr(watched._primary, "ask", lambda: "cannot be reached")
    watched.look()
    assert "cannot be compared" in watched.problem
    watched.close()


def test_positions_are_compared_as_numbers() -> None:
    assert servers.number("0/FFFFFFFF") < servers.number("1/0") < servers.number("A/1") < servers.number("10/0")
    assert Server("1", True, servers.number("0/16EF7F8"), "").position == 0x16EF7F8
