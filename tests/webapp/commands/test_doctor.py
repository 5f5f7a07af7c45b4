"""`flask doctor`: its lines for a healthy install, and for what can be wrong with database and Supabase."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import requests
from fake_gotrue import API_KEY, FakeGoTrue
from fake_replies import reply_json
from fake_upstream import FakeUpstream
from pooler import Pooler
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from stack import SECRETS
from supabase_shape import supabase_database

from webapp import create_app, db
from webapp.commands import doctor, doctor_database, doctor_openai, doctor_server
from webapp.config import Config, load
from webapp.postgres import needs
from webapp.postgres.cluster import Cluster
from webapp.postgres.migrations import migrate

SCHEMA = "spendai_doctor"
# As if the price list were of today, because doctor warns when it is older than 60 days.
NEW_LIST = """insert into private.price_sync_runs (kind, as_of, source, counts, difference)
    values ('shipped', current_date, 'test', '{}', '[]')"""


@pytest.fixture(scope="module")
def project(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A Supabase project with its Auth, migrated: config, conn as owner, admin, auth."""
    owner, admin = supabase_database(cluster, SCHEMA)
    environ = SECRETS | {"DATABASE_URL": owner, "SPENDAI_HOME": str(tmp_path_factory.mktemp("home"))}
    with FakeGoTrue(admin) as auth, psycopg.connect(owner) as conn:
        config = load(environ | {"SUPABASE_URL": auth.url, "SUPABASE_PUBLISHABLE_KEY": API_KEY})
        migrate(owner, passwords=db.passwords(config))
        conn.execute(NEW_LIST)
        conn.commit()
        yield SimpleNamespace(config=config, conn=conn, admin=admin, auth=auth, owner=owner)


@pytest.fixture(autouse=True)
def undone(project: SimpleNamespace) -> Iterator[None]:
    """What a test breaks is rolled back."""
    project.conn.rollback()
    yield
    project.conn.rollback()
    project.auth.trouble, project.auth.algorithm = "", "ES256"


def changed(config: Config, **settings: Any) -> Config:
    return Config(**{**vars(config), **settings})


def found(check: Any, project: SimpleNamespace, **settings: Any) -> tuple[str, str]:
    """The worst line of a check."""
    lines = list(check(changed(project.config, **settings), project.conn))
    order = {"ok": 0, "warn": 1, "fail": 2}
    return max(lines, key=lambda line: order[line.status], default=("", ""))


def test_a_healthy_install_gets_ok_for_everything(project: SimpleNamespace) -> None:
    answer = create_app(project.config).test_cli_runner().invoke(args=["doctor"])
    lines = answer.output.splitlines()
    assert answer.exit_code == 0, answer.output
    assert len(lines) >= 8 and all(line.startswith("ok ") for line in lines), answer.output


def test_what_is_wrong_ends_in_status_1_and_says_how_to_mend_it(project: SimpleNamespace) -> None:
    wrong = changed(project.config, supabase_url=None)
    answer = create_app(wrong).test_cli_runner().invoke(args=["doctor"])
    assert answer.exit_code == 1
    failures = [line for line in answer.output.splitlines() if not line.startswith("ok ")]
    assert len(failures) == 1 and failures[0].startswith("fail ") and "set SUPABASE_URL" in failures[0]


def test_a_database_that_cannot_be_reached_is_one_line(project: SimpleNamespace) -> None:
    gone = changed(project.config, database_url="postgresql://postgres:canary@127.0.0.1:1/x")
    answer = create_app(gone).test_cli_runner().invoke(args=["doctor"])
    assert answer.exit_code == 1 and "cannot be reached" in answer.output and "canary" not in answer.output


@pytest.mark.parametrize(("number", "status"), [(140010, "fail"), (150000, "ok"), (180006, "ok"), (190000, "fail")])
def test_servers_that_are_too_old_or_too_new_are_named(number: int, status: str) -> None:
    conn = SimpleNamespace(info=SimpleNamespace(server_version=number))
    assert next(doctor_server.version(None, conn)).status == status


def test_a_server_that_is_too_old_is_one_line(project: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "OLDEST", 99)
    answer = create_app(project.config).test_cli_runner().invoke(args=["doctor"])
    assert answer.exit_code == 1 and answer.output.count("\n") == 1 and needs.VERSIONS in answer.output


def test_a_database_without_spendai_is_one_failure(project: SimpleNamespace) -> None:
    empty = changed(project.config, database_url=make_conninfo(project.admin, dbname="template1"))
    answer = create_app(empty).test_cli_runner().invoke(args=["doctor"])
    (line,) = [line for line in answer.output.splitlines() if not line.startswith("ok ")]
    assert answer.exit_code == 1 and line.startswith("fail ") and "run flask migrate" in line


@pytest.mark.parametrize(("check", "breaks", "status", "says"), [
    (doctor.roles, "alter role spendai_proxy nologin", "fail", "spendai_proxy cannot log in: run flask migrate"),
    (doctor.roles, "alter role spendai_auth createdb", "fail", "spendai_auth has rights that it must not have"),
    (doctor.roles, "grant authenticated to spendai_proxy", "fail", "spendai_proxy has rights that it must not have"),
    (doctor_database.rights, "grant select on public.usage_logs to anon", "fail", "anon has rights on usage_logs"),
    (doctor_database.rights, "grant execute on function app.me to anon", "fail", "anon has rights on app.me()"),
    (doctor_database.rights, "grant select (id) on public.projects to spendai_web", "fail", "spendai_web has rights"),
    (doctor_database.partitions, "do $$ begin execute 'drop table private.usage_logs_' ||"
     " to_char(now(), 'YYYY_MM'); end $$", "fail", "this month: run flask migrate"),
    (doctor_database.partitions, "do $$ begin execute 'drop table private.usage_logs_' ||"
     " to_char(now() + interval '2 months', 'YYYY_MM'); end $$", "warn", "run flask migrate"),
    (doctor.leaked_secret, "select set_config('app.settings.jwt_secret', 'x', true)", "warn", "reset"),
], ids=lambda value: getattr(value, "__name__", value))  # fmt: skip
def test_what_is_wrong_in_the_database_is_named(
    project: SimpleNamespace, check: Any, breaks: str, status: str, says: str
) -> None:
    project.conn.execute(breaks)
    line = found(check, project)
    assert line[0] == status and says in line[1], line


def test_a_database_that_is_behind_is_named(project: SimpleNamespace) -> None:
    with psycopg.connect(project.owner) as conn:
        conn.execute("update private.schema_files set sha256 = 'x' where path = 'db/functions/me.sql'")
    status, text = found(doctor.migrated, project)
    assert status == "fail" and "db/functions/me.sql: run flask migrate" in text
    project.conn.rollback()  # its lock on schema_files would stop the migration
    migrate(project.owner)
    assert found(doctor.migrated, project)[0] == "ok"


@pytest.mark.parametrize(("what", "file"), [
    ("function app.me", "db/functions/me.sql"), ("view public.spend_by_tag", "db/views/spend_by_tag.sql"),
])  # fmt: skip
def test_what_somebody_dropped_is_named_and_migrate_makes_it_again(
    project: SimpleNamespace, what: str, file: str
) -> None:
    with psycopg.connect(project.owner) as conn:
        conn.execute(f"drop {what}")
    status, text = found(doctor.migrated, project)
    assert status == "fail" and f"{file}: run flask migrate" in text
    project.conn.rollback()
    assert migrate(project.owner) == [file]
    assert found(doctor.migrated, project)[0] == "ok"


@pytest.mark.parametrize(("status", "said"), [
    (200, ("ok", "OpenAI can be reached")), (403, ("ok", "OpenAI can be reached")),
    (401, ("fail", "OpenAI refuses OPENAI_API_KEY (HTTP 401): take a key that is valid")),
    (404, ("warn", "OpenAI answers with HTTP 404: check the path of OPENAI_BASE_URL")),
    (503, ("warn", "OpenAI answers with HTTP 503: see its status page")),
])  # fmt: skip
def test_whether_openai_takes_the_key_is_said(project: SimpleNamespace, status: int, said: tuple[str, str]) -> None:
    with FakeUpstream(lambda request: reply_json({}, status)) as openai:
        settings = {"openai_api_key": "sk-proj-1234", "openai_base_url": openai.url}
        assert found(doctor_openai.openai, project, **settings) == said
    (asked,) = openai.requests
    assert (asked.path, asked.header("authorization")) == ("/v1/models", "Bearer sk-proj-1234")
    status_away, text = found(doctor_openai.openai, project, **settings)
    assert status_away == "fail" and text.startswith(f"{openai.url}: OpenAI's API cannot be reached")


def test_without_a_key_openai_is_not_asked(project: SimpleNamespace) -> None:
    assert found(doctor_openai.openai, project) == ("", "")
    assert doctor_openai.openai in doctor.CHECKS


def test_a_database_that_is_newer_is_named(project: SimpleNamespace) -> None:
    project.conn.execute("insert into private.schema_files values ('db/migrations/9999_new.sql', 'x')")
    status, text = found(doctor.migrated, project)
    assert status == "fail" and text.startswith("db/migrations/9999_new.sql: applied, but not in this checkout")
    assert "docs/upgrade.md" in text


def test_prices_and_passwords_that_are_not_applied_are_named(project: SimpleNamespace) -> None:
    project.conn.execute("delete from private.schema_files where path in ('db/prices', 'role/spendai_web')")
    status, text = found(doctor.migrated, project)
    assert status == "fail" and "db/prices and 1 more: run flask migrate" in text


def test_another_secret_key_than_the_gateways_is_named(project: SimpleNamespace) -> None:
    line = found(doctor.roles, project, secret_key="another secret key of more than 32 characters")
    assert line[0] == "fail" and "SECRET_KEY" in line[1]


@pytest.mark.parametrize(("off", "status"), [(0, "ok"), (-20, "warn"), (3600, "fail")])
def test_a_clock_that_is_off_is_named(
    project: SimpleNamespace, off: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "time", SimpleNamespace(time=lambda: time.time() + off))
    assert found(doctor.database_clock, project)[0] == found(doctor.supabase, project)[0] == status


@pytest.mark.parametrize(("mode", "size", "prepared", "status", "says"), [
    ("transaction", "2", False, "ok", "transaction mode"), ("transaction", "2", True, "fail", "DATABASE_PREPARED=0"),
    ("transaction", "1", False, "ok", "transaction mode"),
    ("session", "2", False, "warn", "up to 6 of its connections to itself; use transaction mode (Supabase: port 6543)"),
    ("statement", "2", False, "fail", "statement mode"),
])  # fmt: skip
def test_a_pooler_in_the_wrong_mode_is_named(
    cluster: Cluster, project: SimpleNamespace, mode: str, size: str, prepared: bool, status: str, says: str
) -> None:
    with Pooler(cluster, project.admin, pool_mode=mode, default_pool_size=size) as pooler:
        settings = {"database_url": pooler.through(project.owner), "database_prepared": prepared}
        line = found(doctor.pooler, project, **settings)
    assert line[0] == status and says in line[1], line


def test_without_a_pooler_prepared_statements_are_fine(project: SimpleNamespace) -> None:
    assert found(doctor.pooler, project, database_prepared=True) == ("ok", "no pooler")


@pytest.mark.parametrize(("settings", "says"), [
    ({"supabase_url": "http://127.0.0.1:9"}, "cannot be reached"),
    ({"supabase_url": "{url}/rest/v1"}, "is not Supabase Auth"),
    ({"supabase_publishable_key": "sb_publishable_of_another"}, "SUPABASE_PUBLISHABLE_KEY (HTTP 401)"),
])  # fmt: skip
def test_wrong_settings_of_supabase_are_named(project: SimpleNamespace, settings: dict, says: str) -> None:
    settings = {name: value.format(url=project.auth.url) for name, value in settings.items()}
    line = found(doctor.supabase, project, **settings)
    assert line[0] == "fail" and says in line[1], line


@pytest.mark.parametrize("trouble", ["down", "html"])
def test_something_else_at_supabases_address_is_named(project: SimpleNamespace, trouble: str) -> None:
    project.auth.trouble = trouble
    assert "is not Supabase Auth" in found(doctor.supabase, project)[1]


@pytest.mark.parametrize("text", [b"{}", b"[]", b"null", b'{"keys": 1}', b"\xff"])
def test_json_that_is_no_key_set_is_named(
    project: SimpleNamespace, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = 200, text
    monkeypatch.setattr(requests, "get", lambda url, **options: answer)
    assert "is not Supabase Auth" in found(doctor.supabase, project)[1]


def test_a_project_that_signs_with_a_secret_is_asked_for_it(project: SimpleNamespace) -> None:
    project.auth.algorithm = "HS256"
    assert "SUPABASE_JWT_SECRET" in found(doctor.supabase, project)[1]
    assert found(doctor.supabase, project, supabase_jwt_secret="x" * 32)[0] == "ok"


def test_people_and_database_of_two_projects_are_named(project: SimpleNamespace) -> None:
    line = found(doctor.provider, project, supabase_url="https://abcdefgh.supabase.co")
    assert line[0] == "fail" and "abcdefgh" in line[1]
    assert found(doctor.provider, project) == ("", "")


def test_a_plain_database_behind_supabase_auth_is_named(project: SimpleNamespace, shared_dsn: str) -> None:
    with psycopg.connect(shared_dsn) as conn:
        (line,) = doctor.provider(project.config, conn)
    assert line.status == "fail" and "DATABASE_URL" in line.text


def test_a_way_to_the_database_that_may_be_unencrypted_is_named(project: SimpleNamespace) -> None:
    assert found(doctor.encryption, project) == ("", "")  # a socket of this machine
    far = SimpleNamespace(info=SimpleNamespace(host="db.acme.test"), pgconn=SimpleNamespace(ssl_in_use=True))
    for mode, status in (("prefer", "warn"), ("require", "ok"), ("verify-full", "ok")):
        config = changed(project.config, database_url=f"postgresql://p@db.acme.test/x?sslmode={mode}")
        assert next(doctor.encryption(config, far)).status == status
    assert conninfo_to_dict(project.owner)["host"].startswith("/")
