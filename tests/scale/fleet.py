"""Several gateways on one database: some behind PgBouncer, one that names both servers in its DATABASE_URL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from durable.clients import call, connect
from durable.plan import plan
from durable.product import Product
from pooler import Pooler
from psycopg.conninfo import conninfo_to_dict
from scale.gateway import Gateway
from scale.pair import Pair

from webapp import db
from webapp.postgres.migrations import migrate

POOL = 4  # PgBouncer's server connections for each of the three roles
CONNECTIONS = "select count(*) as n from pg_stat_activity where usename like 'spendai\\_%%'"


class Fleet:
    """``with fleet(…) as running``; the last of ``gateways`` names both servers and prepares its statements, the others
    go through ``pooler``."""

    def __init__(self, pair: Pair, pooler: Pooler, gateways: list[Gateway], workers: int) -> None:
        self.pair, self.pooler, self.gateways, self.workers = pair, pooler, gateways, workers
        self.token, self.project = gateways[0].sign_up()

    @property
    def ports(self) -> list[int]:
        return [gateway.port for gateway in self.gateways]

    @property
    def bound(self) -> int:
        """Server connections the gateways may hold at most: PgBouncer's, and those of workers without it."""
        direct = (
            db.CONNECTIONS_PER_WORKER + 1
        )  # and the one with which a worker looks at the primary beside its replica
        reading = db.READ_CONNECTIONS_PER_WORKER * self.workers * len(self.gateways)  # while there is no other standby
        return 3 * POOL + direct * self.workers + reading

    def connections(self) -> int:
        """Server connections of the gateways at this moment."""
        return self.pair.ask(CONNECTIONS)[0]["n"]

    def make_key(self, n: int) -> dict[str, str]:
        """A new proxy key, made through gateway ``n``: its id and, as key, its secret."""
        path = f"/api/v1/projects/{self.project}/keys"
        return self._at(n).request("POST", path, {"name": "main"}, self.token)[1]

    def revoke(self, n: int, key: dict[str, str]) -> None:
        """Revoke a key through gateway ``n``."""
        status, _ = self._at(n).request("DELETE", f"/api/v1/keys/{key['id']}", None, self.token)
        assert status == 204, f"the key was not revoked: {status}"

    def everywhere(self, seed: int, key: str, name: str) -> tuple[list[int], list[str]]:
        """One call to each gateway, which the upstream answers well: their statuses, and tags of those that went."""
        statuses, tags = [], []
        for n, port in enumerate(self.ports):
            tag = next(t for i in range(99) if plan(seed, t := f"json-{name}-{n}-{i}").kind == "good")
            connection = connect(port)
            statuses.append(call(connection, key, tag).status)
            connection.close()
            tags += [tag] if statuses[-1] == 200 else []
        return statuses, tags

    def repoint(self) -> None:
        """Let PgBouncer lead to the primary."""
        self.pooler.lead_to(self.pair.primary, self.pair.admin)

    def kill(self, n: int) -> None:
        """End a gateway with all its workers at once; what it had spooled stays on its disk."""
        for pid in self._at(n).gateway():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._at(n).process.wait()

    def whole(self) -> None:
        """Wait until every gateway runs and has settled all that was put off."""
        for gateway in self.gateways:
            gateway.revive()
        self.gateways[0].whole()
        for gateway in self.gateways[1:]:
            gateway.whole(0)

    def _at(self, n: int) -> Gateway:
        return self.gateways[n % len(self.gateways)]


@contextmanager
def fleet(home: Path, pair: Pair, upstream: str, gateways: int, workers: int) -> Iterator[Fleet]:
    """Set all up: PgBouncer as documented, the schema, the gateways; ended in order afterwards."""
    started: list[Product] = []
    with Pooler(pair.primary, pair.admin, default_pool_size=str(POOL)) as pooler:
        owner = conninfo_to_dict(pair.url)
        through = f"postgresql://{owner['user']}:{owner['password']}@127.0.0.1:{pooler.port}/spendai"
        ways = [{"DATABASE_URL": through}] * (gateways - 1) + [{"DATABASE_URL": pair.url, "DATABASE_PREPARED": "1"}]
        ways = [way | {"DATABASE_URL_READ": pair.url} for way in ways]  # whichever of the two is the standby
        every = [
            Gateway(home / f"gateway{n}", upstream, pair.ask, WORKERS=str(workers), **way) for n, way in enumerate(ways)
        ]
        migrate(pair.url + "&target_session_attrs=read-write", passwords=db.passwords(every[0].config))
        try:
            for gateway in every:
                gateway.start()
                started.append(gateway)
            for gateway in every:
                gateway.whole(0)
            yield Fleet(pair, pooler, every, workers)
        finally:
            for gateway in started:
                gateway.stop()
