"""`flask doctor`: its lines about SPENDAI_HOME, and about what is in the database."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from people import People
from psycopg.rows import dict_row
from zones import zone_an_hour_behind_utc

from webapp import db
from webapp.commands import doctor, doctor_database, doctor_home
from webapp.commands.doctor_line import Check
from webapp.config import ROOT, Config, load
from webapp.ledger.spool import Spool
from webapp.postgres.cluster import SUPERUSER
from webapp.postgres.migrations import migrate
from webapp.secrets.admin_keys import seal_admin_key
from webapp.secrets.vault import seal

SECRETS = {"SECRET_KEY": "tests-only-secret-key-of-at-least-32-characters"}


@pytest.fixture
def home(own_dsn: str, tmp_path: Any) -> Iterator[SimpleNamespace]:
    """An install of its own: config, and conn as its database's owner."""
    config = load(SECRETS | {"DATABASE_URL": own_dsn, "SPENDAI_HOME": str(tmp_path / "home")})
    migrate(own_dsn, passwords=db.passwords(config))
    with psycopg.connect(own_dsn, autocommit=True) as conn:
        yield SimpleNamespace(config=config, conn=conn, spool=config.home / "spool")


def found(check: Check, home: SimpleNamespace, **settings: Any) -> tuple[str, str]:
    """The worst line of a check."""
    lines = list(check(Config(**{**vars(home.config), **settings}), home.conn))
    return max(lines, key=lambda line: ("ok", "warn", "fail").index(line.status), default=("ok", ""))


@pytest.mark.parametrize("check", [*doctor_database.CHECKS, *doctor_home.CHECKS])
def test_a_healthy_home_is_ok_and_doctor_looks_at_it(home: SimpleNamespace, check: Check) -> None:
    assert found(check, home)[0] == "ok"
    assert check in doctor.CHECKS


@pytest.mark.parametrize("table", ["public.projects", "private.usage_logs_2026_12"])
def test_a_table_without_row_level_security_is_named(home: SimpleNamespace, table: str) -> None:
    home.conn.execute("select app.ensure_partition('2026-12-01')")
    home.conn.execute(f"alter table {table} disable row level security")
    status, text = found(doctor_database.row_security, home)
    assert status == "fail" and f"alter table {table.removeprefix('public.')} enable" in text.replace("public.", "")


def test_a_trigger_that_is_off_is_named_and_the_advice_switches_it_on(home: SimpleNamespace) -> None:
    home.conn.execute("alter table public.cost_adjustments disable trigger user")
    status, text = found(doctor_database.triggers, home)
    assert status == "fail" and " of cost_adjustments is off: " in text
    while status == "fail":
        home.conn.execute(text.partition(" is off: ")[2])
        status, text = found(doctor_database.triggers, home)
    assert (status, text) == ("ok", "every trigger is on")


def test_calls_in_doubt_are_counted(home: SimpleNamespace) -> None:
    admin = psycopg.conninfo.make_conninfo(home.conn.info.dsn, user=SUPERUSER, password=home.conn.info.password)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        people = People(conn)
        people.open_calls(people.open_message("ada", max_seconds=-1, **people.now_id()))
    status, text = found(doctor_database.calls_in_doubt, home)
    assert status == "warn" and text.startswith("1 call in doubt") and "flask calls in-doubt lists them" in text


def test_calls_that_wait_in_the_spool_and_damaged_lines_are_counted(home: SimpleNamespace) -> None:
    home.spool.mkdir()
    text = json.dumps({"id": "1"}).encode()
    line = b"%08x %s\n" % (zlib.crc32(text), text)
    (home.spool / "a.spool").write_bytes(line + line)
    assert found(doctor_home.spool, home)[1].startswith("2 calls waiting")
    (home.spool / "a.spool").write_bytes(line[:9])
    assert "1 damaged" in found(doctor_home.spool, home)[1]
    with (home.spool / "a.spool").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert found(doctor_home.spool, home)[0] == "ok", "a living gateway's own"


def test_calls_that_the_database_rejected_are_counted_each_once(home: SimpleNamespace) -> None:
    aside = Spool(home.spool, lambda message: False)
    for number in (1, 2, 1):
        aside.set_aside({"id": str(number)})
    status, text = found(doctor_home.spool, home)
    assert status == "warn" and text.startswith("the database rejected the ends of 2 calls")


def test_a_spool_file_that_cannot_be_read_is_named_and_the_others_are_counted(home: SimpleNamespace) -> None:
    (home.spool / "a.spool").mkdir(parents=True)  # stands for a file of another user: root, who runs tests, reads those
    text = json.dumps({"id": "1"}).encode()
    (home.spool / "b.spool").write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))
    unreadable, waiting = doctor_home.spool(home.config, home.conn)
    assert unreadable.status == "fail" and unreadable.text.startswith(f"{home.spool / 'a.spool'} cannot be read (")
    assert "give it to the user" in unreadable.text
    assert waiting.text.startswith("1 call waiting")
    (home.spool / "b.spool").unlink()
    assert [line.status for line in doctor_home.spool(home.config, home.conn)] == ["fail"]


@pytest.mark.parametrize(("free", "status"), [(100 << 20, "fail"), (1 << 30, "warn"), (100 << 30, "ok")])
def test_a_disk_that_is_nearly_full_is_said(home: SimpleNamespace, monkeypatch: Any, free: int, status: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert found(doctor_home.disk, home)[0] == status


def test_a_home_that_is_not_there_yet_is_looked_at_by_its_parent(home: SimpleNamespace, tmp_path: Any) -> None:
    home.config.home = tmp_path / "not" / "yet"
    for check in (doctor_home.disk, doctor_home.spool, doctor_home.secret_files):
        assert found(check, home)[0] == "ok"


def test_secrets_that_others_may_read_are_named(home: SimpleNamespace) -> None:
    (home.config.home / "secrets" / "SPENDAI_ENCRYPTION_KEYS").chmod(0o644)
    status, text = found(doctor_home.secret_files, home)
    assert status == "fail" and "SPENDAI_ENCRYPTION_KEYS" in text


@pytest.mark.parametrize("ring", [{2: b"x" * 32}, {1: b"x" * 32}], ids=["without_its_key", "another_key_of_its_number"])
def test_stored_keys_of_other_encryption_keys_are_counted(home: SimpleNamespace, ring: dict[int, bytes]) -> None:
    admin = psycopg.conninfo.make_conninfo(home.conn.info.dsn, user=SUPERUSER, password=home.conn.info.password)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        people = People(conn)
    org, eves = people.orgs["ada"], people.orgs["eve"]
    sealed = seal(home.config.key_ring, "sk-of-ours", org, None), seal_admin_key(home.config, "sk-admin-ours", org)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        people.conn = conn
        with people.as_("ada"):
            people.one("select app.provider_key_set(null, %s, 'ours', null, 'fingerprint', true)", sealed[0])
            people.one("select app.admin_key_set(%s, 'ours', null)", sealed[1])
    assert found(doctor_home.stored_keys, home)[0] == "ok"
    status, text = found(doctor_home.stored_keys, home, key_ring=ring)
    assert status == "fail" and text.startswith("2 of 2 stored OpenAI keys") and "SPENDAI_ENCRYPTION_KEYS" in text
    home.conn.execute("insert into private.admin_keys select %s, ciphertext, last4 from private.admin_keys", [eves])
    assert found(doctor_home.stored_keys, home)[1].startswith("1 of 3"), "a copy in another organization's row"


def test_time_outs_that_do_not_fit_each_other_are_said(home: SimpleNamespace) -> None:
    assert "CALL_MAX" in found(doctor_home.time_outs, home, upstream_read_timeout=7200)[1]
    assert "DRAIN" in found(doctor_home.time_outs, home, drain_seconds=1000)[1]
    home.conn.execute(f"alter database \"{home.conn.info.dbname}\" set statement_timeout = '2s'")
    assert "statement_timeout" in found(doctor_home.time_outs, home)[1]


def test_a_sum_that_is_not_that_of_its_calls_is_said(home: SimpleNamespace) -> None:
    admin = psycopg.conninfo.make_conninfo(home.conn.info.dsn, user=SUPERUSER, password=home.conn.info.password)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        People(conn).call("ada")
        assert found(doctor_database.totals, home)[0] == "ok"
        for table in ("daily_totals", "hourly_totals"):
            conn.execute(f"update public.{table} set calls = calls + 2, cost = cost + 0.5")
    status, text = found(doctor_database.totals, home)
    assert status == "fail" and "by 2 calls and $0.5" in text


def test_a_zone_of_an_organization_that_the_database_knows_otherwise_is_named(
    home: SimpleNamespace, tmp_path: Any
) -> None:
    with zone_an_hour_behind_utc("Asia/Kolkata", tmp_path / "zoneinfo"):
        assert found(doctor_database.time_zones, home)[0] == "ok", "nobody has this zone"
        home.conn.execute("insert into public.organizations (name, time_zone) values ('Acme', 'Asia/Kolkata')")
        status, text = found(doctor_database.time_zones, home)
    assert status == "warn" and "Asia/Kolkata" in text
    assert found(doctor_database.time_zones, home)[0] == "ok"


def test_the_documented_command_reads_the_settings_as_root_and_drops_root_s_home(tmp_path: Path) -> None:
    text = (ROOT / "docs/operation.md").read_text()
    command = re.search(r"^```\n(\(.*runuser.*)\n```$", text, re.M)[1]
    (tmp_path / "env").write_text("SPENDAI_HOME=/var/lib/spendai\nOPENAI_API_KEY='sk-&$x'\n")
    become = tmp_path / "runuser"  # what the user of the service would run
    become.write_text('#!/bin/sh\necho "$*" in "$PWD", "${HOME-no home}, $SPENDAI_HOME, $OPENAI_API_KEY"\n')
    become.chmod(0o755)
    words = command.replace("/etc/spendai/env", f"{tmp_path}/env").replace("/opt/spendai", str(tmp_path))
    root = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/root"}
    said = subprocess.run(["sh", "-c", words], check=True, env=root, capture_output=True, text=True).stdout
    ran = f"-u spendai -- .venv/bin/flask doctor in {tmp_path}"
    assert said == f"{ran}, no home, /var/lib/spendai, sk-&$x\n"
