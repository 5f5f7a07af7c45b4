"""`flask doctor` on the read replica: follows, is wrong, is behind; its settings and connections."""

from __future__ import annotations

import psycopg
import pytest
from replicated import Replicated

from webapp import db
from webapp.commands import doctor_replica
from webapp.config import Config


def found(replicated: Replicated, **settings: object) -> list[tuple[str, str]]:
    config = Config(**{**vars(replicated.site.config), **settings})
    with psycopg.connect(replicated.site.dsn) as conn:
        return [(line.status, line.text) for line in doctor_replica.replica(config, conn)]


def test_a_replica_that_follows_is_fine_and_its_settings_are_looked_at(replicated: Replicated) -> None:
    lines = found(replicated, workers=4)
    assert [status for status, _ in lines] == ["ok", "warn", "ok"]
    assert "hot_standby_feedback = on" in lines[1][1] and "up to 20 connections" in lines[2][1]
    replicated.standby.ask("alter system set hot_standby_feedback = on")
    replicated.standby.ask("select pg_reload_conf()")
    lines = found(replicated, workers=200)
    assert [status for status, _ in lines] == ["ok", "warn"] and "max_connections" in lines[1][1]


def test_without_a_replica_nothing_is_said(replicated: Replicated) -> None:
    assert found(replicated, database_url_read=None) == []


def test_the_primary_named_twice_fails(replicated: Replicated) -> None:
    ((status, text),) = found(replicated, database_url_read=db.dsn(replicated.site.config, "spendai_auth"))
    assert status == "fail" and "is the primary itself" in text


def test_one_that_does_not_catch_up_is_behind(replicated: Replicated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_replica, "PATIENCE", 0.2)
    replicated.standby.hold()
    try:
        with psycopg.connect(replicated.site.admin) as conn:
            conn.execute("set synchronous_commit = on")
            conn.execute("select pg_logical_emit_message(true, 'test', 'what the replica lacks')")
        status, text = found(replicated)[0]
        assert status == "warn" and "behind" in text
    finally:
        replicated.standby.go_on()
