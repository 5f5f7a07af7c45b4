"""The connection pools of a worker, and transactions on them, each on behalf of one person.

``scope(role, claims)`` is one transaction in which row security sees the signed-in person: the role and the JWT claims
are set for this transaction only, exactly as Supabase's API does it. Without claims every table is empty.

    with scope("authenticated", claims) as tx:
        tx.rows("key_list", None)              # list of dicts from app.key_list(null)
        tx.call("key_revoke", key_id)          # runs app.key_revoke(...), first row as a dict or None

Pools are opened after the worker was forked (``open_pools``) and closed when it ends. The ledger has a connection of
its own (webapp/ledger/ledger.py), and commands connect as the database's owner (webapp/postgres/owner.py).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool

from webapp.config import Config
from webapp.postgres import embedded, logins
from webapp.postgres.turns import Turns

ROLES = ("spendai_web", "spendai_proxy", "spendai_auth")
# Pool → the role it logs in as, and how many connections it makes at most: for pages and the API, and for signing in.
POOLS = {"web": ("spendai_web", 3), "auth": ("spendai_auth", 2)}
READ_POOLS = {"read": ("spendai_web", 3), "read_auth": ("spendai_auth", 1)}  # on the replica of DATABASE_URL_READ
CONNECTIONS_PER_WORKER = sum(size for _, size in POOLS.values()) + 1  # and the one of webapp/ledger
# Of a worker on the replica; one is webapp/replica's, which has one on the primary too where there is a replica.
READ_CONNECTIONS_PER_WORKER = sum(size for _, size in READ_POOLS.values()) + 1
STATEMENT_TIMEOUT = "15s"
ANSWER_SECONDS = 20.0  # for the server's answer to a statement; longer than STATEMENT_TIMEOUT, which comes first
WAIT_SECONDS = 5.0  # for a free connection
TURN_SECONDS = 20.0  # until a person's other requests give theirs back: a download goes on behind two long reports
CHECK_SECONDS = 2.0  # for the answer to the empty statement that checks a connection before it is used
READ_LIFE = 300.0  # seconds a connection to the replica is kept, which may lead to a server that was promoted since
RETRY_SECONDS = 3.0  # longest pause between tries to connect; the pool's default of five minutes outlasts any failover
set_json_loads(partial(json.loads, parse_float=Decimal))  # amounts in JSON stay exact: money is never a float
# Whatever defaults the database or a role has. libpq reads these variables and asks for them when it connects, which
# poolers pass on.
os.environ |= {"PGTZ": "UTC", "PGDATESTYLE": "ISO", "PGCLIENTENCODING": "UTF8"}
LONGEST_ANALYSIS = timedelta(minutes=5)  # of an analyst's transaction
WATCH_SECONDS = 20.0  # between two looks at the analysts' sessions
_pools: dict[str, ConnectionPool] = {}
_turns = {name: Turns(size) for name, (_, size) in (POOLS | READ_POOLS).items()}
_closing = threading.Event()


def password(config: Config, role: str) -> str:
    """Password of a login role, derived from SECRET_KEY, so that gateways with the same SECRET_KEY have the same."""
    return hmac.new(config.secret_key.encode(), f"postgres/{role}".encode(), hashlib.sha256).hexdigest()


def passwords(config: Config) -> dict[str, str]:
    """Login role → password, as webapp/postgres/logins.py sets them."""
    return {role: password(config, role) for role in ROLES}


def in_one_line(error: Exception) -> str:
    """What Postgres says; else the last line of the message, without the questions that libpq puts below a reason."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("\t")]
    return (lines or [type(error).__name__])[-1]


def dsn(config: Config, role: str, *, read: bool = False) -> str:
    """Connection string for one of the login roles. read: of the replica that DATABASE_URL_READ names."""
    if config.embedded and not read:
        return embedded.conninfo(config, role, password(config, role))
    parts = conninfo_to_dict(config.database_url_read if read else config.database_url)
    parts |= {"user": logins.user_of(role, parts.get("user")), "password": password(config, role)}
    if "," in str(parts.get("host", "")):  # several servers: use the one wanted, and give up soon on one that is silent
        parts = {"target_session_attrs": "prefer-standby" if read else "read-write", "connect_timeout": 2} | parts
    parts.setdefault("connect_timeout", 5)
    return make_conninfo(**{k: v for k, v in parts.items() if v is not None})


class WatchedConnection(psycopg.Connection[Any]):
    """Closes itself when the server does not answer a statement within ANSWER_SECONDS: then the wait raises an error.

    Such a server is frozen, or its machine is gone after a failover. It cannot enforce statement_timeout, and TCP
    notices a lost machine only after about a quarter of an hour.
    """

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or self.answer_seconds)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                self.close()
            raise


def _check(conn: WatchedConnection) -> None:
    """Check that the server still answers on an idle connection; raises psycopg.Error when it does not."""
    conn.answer_seconds = CHECK_SECONDS
    ConnectionPool.check_connection(conn)
    conn.answer_seconds = ANSWER_SECONDS


def open_pools(config: Config) -> None:
    """Open the worker's pools, POOLS and with DATABASE_URL_READ also READ_POOLS."""
    for name, (role, size) in (POOLS | (READ_POOLS if config.database_url_read else {})).items():
        read = name in READ_POOLS
        _pools[name] = ConnectionPool(
            dsn(config, role, read=read),
            min_size=0 if name == "read_auth" else 1,  # used only while the primary is away
            max_size=size,
            timeout=WAIT_SECONDS,
            max_lifetime=READ_LIFE if read else 3600,
            kwargs={"prepare_threshold": None, "row_factory": dict_row, "application_name": f"spendai {name}"},
            check=_check,
            reconnect_timeout=RETRY_SECONDS,
            connection_class=WatchedConnection,
            open=True,
            name=name,
        )
    _closing.clear()
    threading.Thread(target=_watch_analysts, daemon=True).start()


def _watch_analysts() -> None:
    """Until the pools close: end sessions of analysts that take too much of the server, see app.analysts_end_long."""
    while not _closing.wait(WATCH_SECONDS):
        with suppress(psycopg.Error, KeyError), scope("spendai_auth") as tx:  # KeyError: the pools have just closed
            tx.call("analysts_end_long", LONGEST_ANALYSIS)


def close_pools() -> None:
    """Close the worker's pools; psycopg warns when the interpreter ends with open ones."""
    _closing.set()
    while _pools:
        _pools.popitem()[1].close(timeout=2)


class Transaction:
    """One open transaction; calls functions of schema app by name."""

    def __init__(self, conn: psycopg.Connection[dict[str, Any]]) -> None:
        self.conn = conn

    def rows(self, function: str, *args: Any) -> list[dict[str, Any]]:
        """All rows of app.<function>(args), as dicts; another schema's function by "schema.function"."""
        return self._run(function, args).fetchall()

    def each(self, function: str, *args: Any, most: int) -> Iterator[dict[str, Any]]:
        """The same rows, at most so many, each made when it is asked for: so others can be served in between.

        They may be read after the transaction has ended, and should be: others can use its connection meanwhile.
        """
        return iter(self._run(function, args, f" limit {most}"))

    def _run(self, function: str, args: tuple[Any, ...], end: str = "") -> psycopg.Cursor[dict[str, Any]]:
        query = sql.SQL("select * from {}({})" + end).format(  # noqa: S608  # `end` is a constant
            sql.Identifier(*function.split(".")) if "." in function else sql.Identifier("app", function),
            sql.SQL(", ").join([sql.Placeholder()] * len(args)),
        )
        return self.conn.execute(query, args)

    def call(self, function: str, *args: Any) -> dict[str, Any] | None:
        """First row of app.<function>(args), or None."""
        rows = self.rows(function, *args)
        return rows[0] if rows else None

    def query(self, text: str, *args: Any) -> list[dict[str, Any]]:
        """Rows of a select on views and tables, as dicts."""
        return self.conn.execute(text, args).fetchall()


@contextmanager
def scope(role: str, claims: Mapping[str, Any] | None = None) -> Iterator[Transaction]:
    """One transaction as role ``authenticated`` with a person's claims, or as ``spendai_auth`` for signing in.

    claims: of the access token; sub, role and email are passed on. Raises PoolTimeout after WAIT_SECONDS without a free
    connection, or TURN_SECONDS without one that this person may take (postgres/turns.py).
    """
    with begin("auth" if role == "spendai_auth" else "web", role, claims) as tx:
        yield tx


@contextmanager
def begin(
    pool: str, role: str, claims: Mapping[str, Any] | None = None, seconds: float | None = None, *, quick: bool = False
) -> Iterator[Transaction]:
    """``scope`` on a pool by its name.

    seconds: to wait for a connection at most, by default WAIT_SECONDS; quick: give the server up after CHECK_SECONDS
    without an answer, because another one can be asked instead.
    """
    person = claims.get("sub") if claims and role != "spendai_auth" else None
    with ExitStack() as opened:
        if person:
            opened.enter_context(_turns[pool].turn(person, TURN_SECONDS if seconds is None else seconds))
        conn = opened.enter_context(_pools[pool].connection(timeout=seconds))
        conn.answer_seconds = CHECK_SECONDS if quick else ANSWER_SECONDS
        opened.enter_context(conn.transaction())
        settings = {"statement_timeout": STATEMENT_TIMEOUT, "jit": "off"}  # compiling takes longer than our queries
        if role != "spendai_auth":
            kept = {k: claims[k] for k in ("sub", "role", "email") if k in claims} if claims else {}
            settings |= {"role": role, "request.jwt.claims": json.dumps(kept)}
        conn.execute(
            sql.SQL("select ") + sql.SQL(", ").join([sql.SQL("set_config(%s, %s, true)")] * len(settings)),
            [part for pair in settings.items() for part in pair],
        )
        if person and not _turns[pool].knows(person):
            found = conn.execute("select app.current_org_id() as id").fetchone()["id"]
            if found:
                _turns[pool].remember(person, str(found))
        yield Transaction(conn)


def pool_waits() -> list[tuple[str, int, int]]:
    """Each pool's name, how many requests waited for a connection since the last time this was asked, and for how long
    in milliseconds.
    """
    found = [(name, pool.pop_stats()) for name, pool in _pools.items()]
    return [(name, stats.get("requests_queued", 0), stats.get("requests_wait_ms", 0)) for name, stats in found]


def schema_version() -> str | None:
    """The last migration that was applied; None: the database does not answer, or has no functions of the product's."""
    try:
        with scope("spendai_auth") as tx:
            return tx.call("schema_version")["schema_version"]
    except psycopg.Error:
        return None


def months_ahead() -> int:
    """How many months after this one have a partition of usage_logs. Raises psycopg.Error."""
    with scope("spendai_auth") as tx:
        return tx.call("months_ahead")["months_ahead"]
