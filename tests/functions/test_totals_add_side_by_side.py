"""Daily totals are right at every moment, while several gateways settle, prices change and connections break."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event, Lock
from typing import Any

import psycopg
import pytest
from checks import side_by_side
from people import People
from pricing import add_price
from psycopg.rows import dict_row
from spending import days_ago, uuid7
from totals import OPEN, all_is_well

from webapp.postgres.cluster import SUPERUSER

SETTLE = "select * from app.settle_calls(%s::jsonb) order by n"
# One statement, so one snapshot: daily totals and the calls they are sums of, as the owner and as a person sees them.
DIFFERENCES = "select * from app.totals_differences('-infinity')"
SHOWN = """
select (select sum(calls) from public.spend_by_{0}) as shown, (select count(*) from public.usage_logs) as calls,
    (select sum(cost) from public.spend_by_{0}) as cost,
    (select sum(cost) from public.usage_logs) + coalesce((select sum(delta) from public.cost_adjustments), 0) as real
"""
GATEWAYS, ROUNDS, SIZE = 5, 8, 12


@pytest.fixture
def world(own_dsn: str) -> Iterator[tuple[str, People]]:
    """A database of the test's own with committed people in it; how to connect to it as anybody."""
    admin = psycopg.conninfo.make_conninfo(own_dsn, user=SUPERUSER)
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        conn.execute(
            "select app.ensure_partition(%s)", [days_ago(1).date()]
        )  # on the first of a month it is another one
        yield admin, People(conn)


@contextmanager
def gateway(admin: str) -> Iterator[psycopg.Connection]:
    """A connection of the gateways' role, which has its own slots."""
    with psycopg.connect(admin, autocommit=True, application_name="gateway") as conn:
        conn.execute("set session authorization spendai_proxy")
        yield conn


def message(people: People, chance: random.Random, **changes: Any) -> dict[str, Any]:
    """A settle message; keys and models are few, so that many messages add to the same daily totals."""
    at = days_ago(chance.randrange(2)).replace(microsecond=0)
    name = chance.choice(("ada", "ada", "eve"))
    words = {
        "model": chance.choice(("gpt-4o-mini", "gpt-4o", "gpt-97", "gpt-98", "gpt-99")), "id": str(uuid7(at)),
        "end_user": chance.choice((None, "u1", "u2")), "tags": chance.choice(({}, {"a": "b", "c": "d"})),
        "started_at": at.isoformat(),
    }  # fmt: skip
    return people.settle_message(name, people.open_message(name, **words), model=words["model"], **changes)


def numbered(batch: list[dict[str, Any]]) -> str:
    return json.dumps([message | {"n": n} for n, message in enumerate(batch)])


def opened(people: People, batch: list[dict[str, Any]]) -> None:
    """Write rows of open calls and commit. A call without one gets its row when it is settled."""
    people.conn.execute(OPEN, [numbered(batch)])


def settle_all(admin: str, batches: list[list[dict[str, Any]]]) -> int:
    """Settle each batch, repeated until an answer comes, as the spool does. Returns how often a connection broke."""
    broken = 0
    for batch in batches:
        while True:
            try:
                with gateway(admin) as conn:
                    assert len(conn.execute(SETTLE, [numbered(batch)]).fetchall()) == len(batch)
                break
            except (psycopg.errors.AdminShutdown, psycopg.OperationalError) as error:
                if isinstance(error, psycopg.errors.DeadlockDetected):
                    raise
                broken += 1
                assert broken < 100, error
    return broken


def until(done: Event, job: Callable[[psycopg.Connection], Any], admin: str, role: str) -> list[Any]:
    """Repeat something until the others are done, at least twice. Returns its results that are not empty."""
    found = []
    with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        if role != "postgres":
            conn.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps({"sub": role})])
            conn.execute("set role authenticated")
        while not done.is_set() or len(found) < 2:
            found.append(job(conn))
            time.sleep(0.02)
    return found


class Corrector:
    """Changes prices each time, later those of more models, and prices all calls again."""

    def __init__(self) -> None:
        self.revision, self.models = 1, ["gpt-4o-mini", "gpt-98"]

    def __call__(self, conn: psycopg.Connection, price_also: str | None = None) -> None:
        self.revision += 1
        if price_also or self.revision == 6:
            self.models.append(price_also or "gpt-99")
        for model in self.models:
            for dimension in ("input_text", "output_text"):
                add_price(conn, model, dimension, f"{self.revision}.5", revision=self.revision)
        conn.execute("select count(*) from app.reprice(%s, %s, 'a test', false)", [days_ago(9), days_ago(-1)])


def differences(conn: psycopg.Connection) -> list[Any]:
    return conn.execute(DIFFERENCES).fetchall()


def shown(conn: psycopg.Connection) -> list[Any]:
    wrong = []
    for view in ("end_user", "model"):
        row = conn.execute(SHOWN.format(view)).fetchone()
        if row["calls"] and (row["shown"] != row["calls"] or row["cost"] != (row["real"] or 0)):
            wrong.append((view, row))
    return wrong


class Rebuilder:
    """Makes the sums of both days anew, again and again."""

    def __init__(self, people: People) -> None:
        self.orgs = sorted({people.orgs["ada"], people.orgs["eve"]})

    def __call__(self, conn: psycopg.Connection) -> None:
        for org in self.orgs:
            for day in (days_ago(1).date(), days_ago(0).date()):
                with suppress(psycopg.errors.LockNotAvailable):  # on a very slow machine
                    conn.execute("select app.totals_rebuild(%s, %s, 'a test')", [org, day])


class Killer:
    """Breaks the connection of a gateway while it works, but not each time, so that work gets done."""

    def __init__(self, times: int) -> None:
        self.times, self.broken = times, 0

    def __call__(self, conn: psycopg.Connection) -> None:
        conn.execute("reset role")
        query = ("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gateway'"
                 " and datname = current_database() and state = 'active' order by random() limit 1")  # fmt: skip
        if self.broken < self.times:
            self.broken += conn.execute(query).rowcount


@pytest.mark.parametrize("kill", [False, True])
def test_sums_are_right_at_every_moment_while_gateways_settle_and_prices_are_corrected(
    world: tuple[str, People], kill: bool
) -> None:
    admin, people = world
    chance = random.Random(7)
    batches = [[[message(people, chance) for _ in range(SIZE)] for _ in range(ROUNDS)] for _ in range(GATEWAYS)]
    for batch in (batch for each in batches for batch in each):
        opened(people, batch[::2])
        # Some calls are in the batch twice, some are also settled by another gateway.
        batch.extend(chance.sample(batch, 2) + chance.sample(batches[0][0], 2))
    done, left, lock = Event(), [GATEWAYS], Lock()

    def settle(mine: list[list[dict[str, Any]]]) -> int:
        try:
            broken = settle_all(admin, mine)
            for _ in range(100 * kill):  # again, when all was done before a connection could be broken at work
                broken += 0 if killer.broken else settle_all(admin, mine)
            return broken
        finally:
            with lock:
                left[0] -= 1
                if not left[0]:
                    done.set()

    corrector = Corrector()
    jobs = [(differences, "postgres"), (corrector, "postgres"), (shown, str(people.ids["ada"]))]
    jobs.append((Rebuilder(people), "postgres"))
    killer = Killer(20)
    if kill:
        jobs.append((killer, "postgres"))
    watchers = [partial(until, done, job, admin, role) for job, role in jobs]
    answers = side_by_side(*(partial(settle, mine) for mine in batches), *watchers)
    broken, found, corrected, seen, rebuilt = answers[:GATEWAYS], *answers[GATEWAYS : GATEWAYS + 4]
    assert all(isinstance(count, int) for count in broken), broken
    assert not kill or sum(broken) > 0, "no connection was broken"
    for watched in (found, seen):
        assert isinstance(watched, list) and not any(watched), watched
    assert isinstance(corrected, list) and isinstance(rebuilt, list), (corrected, rebuilt)
    states = people.all("select state, count(*) as calls from public.usage_logs group by 1")
    assert states == [{"state": "settled", "calls": GATEWAYS * ROUNDS * SIZE}]
    corrector(people.conn, price_also="gpt-97")  # so that there are corrections and fills whatever the timing was
    assert people.one("select count(*) as n from public.cost_adjustments")["n"] > 0
    assert people.one("select count(*) as n from public.cost_fills")["n"] > 0
    all_is_well(people)


@contextmanager
def two_of_one_slot(admin: str) -> Iterator[list[psycopg.Connection]]:
    """Two gateways with the same first slot: the process ids of their sessions are equal modulo 64."""
    slots: dict[int, psycopg.Connection] = {}
    try:
        for _ in range(400):
            conn = psycopg.connect(admin, autocommit=True, application_name="gateway")
            slot = conn.info.backend_pid % 64
            if slot in slots:
                pair = [slots.pop(slot), conn]
                break
            slots[slot] = conn
    finally:
        for spare in slots.values():
            spare.close()
    try:
        for conn in pair:
            conn.execute("set session authorization spendai_proxy")
        yield pair
    finally:
        for conn in pair:
            conn.close()


def settle_in(conn: psycopg.Connection, batches: list[list[dict[str, Any]]]) -> int:
    return sum(len(conn.execute(SETTLE, [numbered(batch)]).fetchall()) for batch in batches)


def test_two_gateways_whose_numbers_meet_add_to_rows_of_their_own(world: tuple[str, People]) -> None:
    admin, people = world
    chance = random.Random(8)
    batches = [[[message(people, chance) for _ in range(SIZE)] for _ in range(30)] for _ in range(2)]
    opened(people, [message for batch in batches[0] for message in batch])
    with two_of_one_slot(admin) as pair:
        counts = side_by_side(*(partial(settle_in, conn, mine) for conn, mine in zip(pair, batches, strict=True)))
    assert counts == [30 * SIZE] * 2
    assert len(people.all("select distinct slot from public.daily_totals")) <= 2
    all_is_well(people)


def test_two_gateways_whose_numbers_meet_and_that_bill_objects_never_wait_in_a_circle(
    world: tuple[str, People],
) -> None:
    """A GET of a finished object fills the call that made it: those daily totals are written before the batch's."""
    admin, people = world
    chance = random.Random(9)
    pending = {"outcome": "pending", "usage": None, "account": "a"}
    made = [message(people, chance, upstream_object_id=f"r{n}", **pending) for n in range(240)]
    for each in made:
        each["endpoint"] = "/v1/responses"
    with gateway(admin) as conn:
        settle_in(conn, [made])
    look = {"method": "GET", "endpoint": "/v1/responses/{response_id}", "outcome": "complete",
            "usage": {"input_tokens": 10, "output_tokens": 5}}  # fmt: skip

    def looks(mine: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """Batches of settle messages, each with GETs of a few finished objects and other calls."""
        found = []
        for place in range(0, len(mine), 6):
            seen = [made | look | {"id": str(uuid7(days_ago(0)))} for made in mine[place : place + 6]]
            found.append(seen + [message(people, chance) for _ in range(6)])
        return found

    with two_of_one_slot(admin) as pair:
        counts = side_by_side(
            *(partial(settle_in, conn, looks(mine)) for conn, mine in zip(pair, (made[::2], made[1::2]), strict=True))
        )
    assert counts == [240] * 2
    assert people.one("select count(*) as n from public.cost_fills")["n"] == 240
    all_is_well(people)


def test_a_gateway_waits_for_no_long_correction(world: tuple[str, People]) -> None:
    admin, people = world
    chance = random.Random(10)
    with gateway(admin) as conn:
        settle_in(conn, [[message(people, chance) for _ in range(20)]])
        with psycopg.connect(admin, row_factory=dict_row) as owner:
            owner.execute("set role postgres")
            Corrector()(owner)  # not committed yet
            conn.execute("set lock_timeout = '500ms'")
            assert settle_in(conn, [[message(people, chance) for _ in range(20)]]) == 20
    all_is_well(people)
