"""Connections to one Realtime call through separate gateways, which share the database alone: each response is booked
once, whichever of them is told of it first, or at the same time, or is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from fake_socket import FakeSocket
from socket_client import Client
from stack import Stack
from test_side_connections import COST, Connection

SIDE = "call_id=rtc_gateways"


def another(first: Stack) -> Stack:
    """One more gateway on the same database, with its own spool, as another machine has it."""
    told = {name: first.environ[name] for name in ("OPENAI_API_KEY", "OPENAI_API_KEY_SHARED", "OPENAI_BASE_URL")}
    gateway = Stack(first.environ["DATABASE_URL"], first.admin_dsn, WORKERS="1", **told)
    gateway.conn, gateway.people = first.conn, first.people
    return gateway


@pytest.fixture(scope="module")
def gateways(sockets: Stack) -> Iterator[list[Stack]]:
    others = [another(sockets), another(sockets)]
    for gateway in others:
        gateway.start()
    yield [sockets, *others]
    for gateway in others:
        gateway.stop()
        gateway.home.cleanup()


@pytest.fixture
def join(openai: FakeSocket) -> Iterator[Callable[[Stack, str], Connection]]:
    made: list[Connection] = []

    def joined(gateway: Stack, query: str = SIDE) -> Connection:
        made.append(Connection(openai, lambda path: Client(gateway, path, "olga"), query))
        return made[-1]

    yield joined
    for connection in made:
        connection.gone()
        connection.client.ws.close()


def booked(*connections: Connection) -> list[Decimal]:
    """Costs of the calls of these connections, without those that are free because another one books the response."""
    rows = [row for connection in connections for row in connection.client.rows()]
    assert {row["cost_status"] for row in rows} <= {"priced", "free"}, rows
    return [row["cost"] for row in rows if row["cost_status"] == "priced"]


def test_what_side_connections_at_three_gateways_are_told_at_once_is_booked_once(
    gateways: list[Stack], join: Callable[..., Connection]
) -> None:
    ends = [join(gateway) for gateway in gateways]
    names = [f"resp_at_once_{number}" for number in range(10)]

    def tell(end: Connection) -> None:
        for name in names:
            end.begins(name)
            end.ends(name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(tell, ends))
    gateways[0].wait_for(lambda: len(booked(*ends)) >= len(names))
    assert booked(*ends) == [COST] * len(names)
    kept = "select sum(calls) as calls, sum(cost) as cost from public.spend_daily where org_id = %s"
    org = gateways[0].people.orgs["olga"]
    counted = "select count(*) as calls, sum(cost) as cost from public.usage_logs where org_id = %s"
    assert gateways[0].conn.execute(kept, [org]).fetchone() == gateways[0].conn.execute(counted, [org]).fetchone()


def test_what_the_main_connection_asked_for_at_one_gateway_is_not_booked_again_at_others(
    gateways: list[Stack], join: Callable[..., Connection]
) -> None:
    main, *sides = [join(gateways[0], "model=gpt-realtime-2"), join(gateways[1]), join(gateways[2])]
    names = [f"resp_main_{number}" for number in range(10)]
    for name in names:
        main.asks()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda end, name=name: (end.begins(name), end.ends(name)), [*sides, main]))
    gateways[0].wait_for(lambda: len(main.client.rows()) == len(names) and booked(main, *sides))
    assert booked(main, *sides) == [COST] * len(names)


def test_a_gateway_that_is_killed_loses_nothing_of_what_another_is_told(
    gateways: list[Stack], join: Callable[..., Connection]
) -> None:
    killed = gateways[1]
    first, second = join(killed), join(gateways[2])
    first.begins("resp_killed")
    second.begins("resp_killed")
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    second.ends("resp_killed")
    gateways[0].wait_for(lambda: booked(first, second))
    assert booked(first, second) == [COST]
