"""How commands reach the database as its owner, and how they say that it refused something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from webapp.config import Config
from webapp.postgres import embedded
from webapp.postgres.programs import ClusterError


@contextmanager
def owner(config: Config) -> Iterator[str]:
    """Connection string of the database's owner; an embedded server that does not run is started for the time."""
    server = None
    try:
        server = embedded.ensure(config) if config.embedded else None
        yield server.owner_dsn if server else config.database_url
    except (ClusterError, psycopg.OperationalError) as error:
        raise click.ClickException(f"the database cannot be reached: {error}") from None
    finally:
        if server:
            server.stop()
