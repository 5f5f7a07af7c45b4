"""`make psql`: psql on the database of the settings, as its owner; starts the embedded Postgres if it is not running.

Arguments come from the command line or from ARGS, SQL from stdin; the exit status is psql's.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

import psycopg

from webapp import db
from webapp.config import Config, ConfigError, load
from webapp.postgres.migrations import MigrationError, migrate
from webapp.postgres.owner import open_database
from webapp.postgres.programs import ClusterError, find_bindir, for_client, say


def program(config: Config) -> str:
    """Path of psql: with DATABASE_URL the system's if there is one, because the embedded one was built without TLS."""
    own = str(find_bindir() / "psql")
    return own if config.embedded else shutil.which("psql") or own


def psql(config: Config, dsn: str, arguments: list[str]) -> int:
    """Run psql and return its exit status."""
    shown, environ = for_client(dsn)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for psql alone, where it cancels a query
    try:
        command = [program(config), "-d", shown, *arguments]
        return subprocess.run(command, env=environ, check=False, preexec_fn=_default_interrupt).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)


def _default_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """psql's exit status; 2 when there is no database to open."""
    arguments = sys.argv[1:] or shlex.split(os.environ.get("ARGS", ""))
    try:
        config = load()
        with open_database(config) as (dsn, server):
            if server and server.owned:  # else the launcher that runs the server has migrated the database
                migrate(dsn, passwords=db.passwords(config))
            return psql(config, dsn, arguments)
    except (ConfigError, ClusterError, MigrationError, OSError, psycopg.Error) as error:
        say(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main())
