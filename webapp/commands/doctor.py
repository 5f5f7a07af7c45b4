"""``flask doctor``: checks an install. Each finding is one line, and says how to mend what is wrong.

The checks of how the database is reached and set up, and of Supabase, are here; those of the server and its settings in
doctor_server.py, of what is in the database in doctor_database.py, of SPENDAI_HOME in doctor_home.py, of the price list
in doctor_prices.py, of analysts' logins in doctor_analysts.py, of a read replica in doctor_replica.py, of OpenAI in
doctor_openai.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import click
import psycopg
import requests
from flask import current_app
from flask.cli import with_appcontext
from psycopg.conninfo import conninfo_to_dict

from webapp import db
from webapp.commands import (
    doctor_analysts,
    doctor_database,
    doctor_home,
    doctor_openai,
    doctor_prices,
    doctor_replica,
    doctor_server,
)
from webapp.commands.database import owner_connection
from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.postgres import migrations, needs, pooling

SKEW = 5, 60  # seconds between two clocks: beyond the first a warning; beyond the second valid tokens look expired
TIMEOUT = 5  # seconds for an answer of Supabase
LOCAL = ("localhost", "127.0.0.1", "::1")

ROLES = """
select r.role, coalesce(f.rolcanlogin, false) as login,
    f.rolsuper or f.rolbypassrls or f.rolcreaterole or f.rolcreatedb or f.rolinherit as strong,
    coalesce(array(select m.roleid::regrole::text from pg_auth_members m where m.member = f.oid), '{}') as member_of
from unnest(%s::text[]) as r (role) left join pg_roles f on f.rolname = r.role
"""


def migrated(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether files of db/, prices and passwords are applied; doctor_database.py looks at the months of usage_logs."""
    try:
        pending = migrations.pending_files(conn, db.passwords(config))
    except migrations.MigrationError as error:
        yield Line("fail", str(error))
        return
    if not pending:
        yield Line("ok", "the database is up to date")
        return
    more = f" and {len(pending) - 1} more" if len(pending) > 1 else ""
    yield Line("fail", f"not applied yet: {pending[0]}{more}: run flask migrate with the SECRET_KEY of the gateways")


def roles(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether the gateway's roles have just the rights they need, can log in, and find the settings they need."""
    found = conn.execute(ROLES, [list(db.ROLES)]).fetchall()
    for role, login, strong, member_of in found:
        allowed = ["authenticated"] if role == "spendai_web" else []
        if not login:
            yield Line("fail", f"role {role} cannot log in: run flask migrate")
        elif strong or sorted(member_of) != allowed:
            yield Line("fail", f"role {role} has rights that it must not have: take away superuser, bypassrls, "
                       "createrole, createdb, inherit and memberships other than of authenticated")  # fmt: skip
    if not all(login for _, login, _, _ in found):
        return
    for role in db.ROLES:
        try:
            with psycopg.connect(db.dsn(config, role), prepare_threshold=None) as own:
                yield from (Line("fail", text) for text in needs.unmet(own))
        except psycopg.OperationalError as error:
            why = (
                "run flask migrate with the SECRET_KEY of the gateways"
                if "password" in str(error)
                else "check the address in DATABASE_URL"
            )
            yield Line("fail", f"role {role} cannot log in ({db.in_one_line(error)}): {why}")
            return
    yield Line("ok", "the gateway's roles can log in")


def database_clock(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    yield _clock("the database", conn.execute("select extract(epoch from clock_timestamp())").fetchone()[0])


def leaked_secret(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether the JWT secret is a setting of the database, which every login can read."""
    if conn.execute("select current_setting('app.settings.jwt_secret', true)").fetchone()[0]:
        name = conn.info.dbname
        yield Line("warn", "app.settings.jwt_secret is set in the database, and everybody who logs in can read it: "
                   f'alter database "{name}" reset "app.settings.jwt_secret", and change the secret')  # fmt: skip


def pooler(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether a connection pooler is in a mode that serves, and DATABASE_PREPARED fits it."""
    found = pooling.mode(db.dsn(config, "spendai_web"))
    if found == "statement":
        yield Line("fail", "the pooler is in statement mode, which breaks transactions: set it to transaction mode")
    elif found == "full":
        yield Line("fail", "the pooler has one connection only and is in session mode: set it to transaction mode")
    elif found == "session":
        yield Line("warn", f"the pooler is in session mode: each worker keeps up to {db.CONNECTIONS_PER_WORKER} of its "
                   "connections to itself; use transaction mode (Supabase: port 6543)")  # fmt: skip
    elif found == "transaction" and config.database_prepared:
        yield Line("fail", "prepared statements are on behind a pooler in transaction mode: set DATABASE_PREPARED=0")
    else:
        yield Line("ok", "no pooler" if found == "direct" else "pooler in transaction mode, no prepared statements")


def encryption(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether the connection to a database on another machine is encrypted, and must be."""
    host = conn.info.host
    if config.embedded or host.startswith("/") or host in LOCAL:
        return
    if conn.pgconn.ssl_in_use and conninfo_to_dict(config.database_url).get("sslmode", "prefer") != "prefer":
        yield Line("ok", "the connection to the database is encrypted")
    else:
        yield Line("warn", f"the connection to {host} may go unencrypted: add sslmode=require to DATABASE_URL")


def provider(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """SUPABASE_URL and DATABASE_URL must name the same Supabase project, or neither may name one."""
    real = conn.execute("select to_regclass('auth.schema_migrations') is not null").fetchone()[0]
    if real and not config.supabase_url:
        yield Line("fail", "this is a Supabase project's database, which keeps the passwords: set SUPABASE_URL")
    elif config.supabase_url and not real:
        yield Line(
            "fail", "SUPABASE_URL is set, and DATABASE_URL is no Supabase project's database: use the project's own"
        )
    elif config.supabase_url:
        reference = (urlsplit(config.supabase_url).hostname or "").split(".")[0]
        if ".supabase.co" in config.supabase_url and reference not in config.database_url:
            yield Line(
                "fail", f"DATABASE_URL is not of project {reference}, which SUPABASE_URL names: use one project's"
            )


def supabase(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """SUPABASE_URL and the keys that belong to it."""
    if not config.supabase_url:
        return
    base = config.supabase_url + "/auth/v1"
    try:
        answer = requests.get(base + "/.well-known/jwks.json", timeout=TIMEOUT)
    except requests.RequestException as error:
        yield Line("fail", f"SUPABASE_URL cannot be reached ({type(error).__name__}): check the URL and the network")
        return
    keys = _signing_keys(answer)
    if keys is None:
        yield Line(
            "fail", f"SUPABASE_URL: {base} is not Supabase Auth; the URL is https://<reference>.supabase.co, no path"
        )
        return
    if not keys and not config.supabase_jwt_secret:
        yield Line("fail", "the project signs with HS256: set SUPABASE_JWT_SECRET, or move it to signing keys")
    if "Date" in answer.headers:
        yield _clock("Supabase", parsedate_to_datetime(answer.headers["Date"]).timestamp())
    headers = {"apikey": config.supabase_publishable_key}
    status = requests.get(base + "/settings", headers=headers, timeout=TIMEOUT).status_code
    if status == 200:
        yield Line("ok", "Supabase Auth answers")
    else:
        yield Line("fail", f"Supabase refuses SUPABASE_PUBLISHABLE_KEY (HTTP {status}): take the project's own")


def _signing_keys(answer: requests.Response) -> list[Any] | None:
    """The keys of a JSON Web Key Set; None when the answer is something else."""
    try:
        found = answer.json() if answer.ok else None
    except requests.JSONDecodeError:
        return None
    keys = found.get("keys") if isinstance(found, dict) else None
    return keys if isinstance(keys, list) else None


CHECKS: tuple[Check, ...] = (
    encryption, migrated, roles, *doctor_database.CHECKS, database_clock, leaked_secret, pooler, provider, supabase,
    *doctor_replica.CHECKS, *doctor_analysts.CHECKS, *doctor_home.CHECKS, *doctor_prices.CHECKS, *doctor_openai.CHECKS,
)  # fmt: skip


def examine(config: Config) -> Iterator[Line]:
    """The lines of all checks in order; a check that raises an error is reported as failed.

    Where SpendAI cannot use the server or database at all, only why: most other checks would fail for that reason.
    """
    with owner_connection(autocommit=True) as conn:
        for check in doctor_server.CHECKS:
            lines = list(check(config, conn))
            yield from lines
            if any(line.status == "fail" for line in lines):
                return
        for check in CHECKS:
            try:
                yield from check(config, conn)
            except (psycopg.Error, OSError) as error:  # OSError: also those of requests
                yield Line("fail", f"{check.__name__.replace('_', ' ')} cannot be checked: {db.in_one_line(error)}")


def _clock(whose: str, theirs: float) -> Line:
    apart = abs(float(theirs) - time.time())
    if apart < SKEW[0]:
        return Line("ok", f"the clock of {whose} agrees with this machine's")
    status = "fail" if apart > SKEW[1] else "warn"
    return Line(status, f"the clock of {whose} and this machine's differ by {apart:.0f} s: switch on NTP on both")


@click.command()
@with_appcontext
def doctor() -> None:
    """Check the whole install, from settings to sums. Ends with status 1 when a check fails."""
    failed = False
    for status, text in examine(current_app.config["SPENDAI"]):
        failed = failed or status == "fail"
        click.echo(f"{status:5} {text}")
    if failed:
        raise SystemExit(1)
