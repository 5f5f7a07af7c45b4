"""Opening the product's database as its owner, for what an operator starts: commands, `make psql`, `make demo`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from webapp.config import Config
from webapp.postgres import embedded


class OwnerDatabase(NamedTuple):
    """dsn: connection string of the database's owner; server: the embedded server, None with DATABASE_URL."""

    dsn: str
    server: embedded.EmbeddedServer | None


@contextmanager
def open_database(config: Config) -> Iterator[OwnerDatabase]:
    """The database of these settings; an embedded server that does not run yet runs until the end of the block.

    Raises ClusterError or OSError when the embedded server cannot be started. With DATABASE_URL nothing is opened here.
    """
    if not config.embedded:
        yield OwnerDatabase(config.database_url, None)
        return
    server = embedded.ensure(config)
    try:
        yield OwnerDatabase(server.owner_dsn, server)
    finally:
        server.stop()
