"""Checks of `flask doctor` on the read replica of DATABASE_URL_READ: whether it follows, its settings, connections."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg

from webapp import db
from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.replica.servers import NOT_YET, Replica

PATIENCE = 5.0  # seconds for the replica to replay what the primary has written
SETTINGS = """
select current_setting('hot_standby_feedback')::boolean,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
"""


def replica(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether the replica may be used, then its settings; nothing without DATABASE_URL_READ."""
    if not config.database_url_read:
        return
    watched, began = Replica.of(config), time.monotonic()
    try:
        watched.check()
        while watched.problem == NOT_YET and time.monotonic() - began < PATIENCE:
            time.sleep(0.05)
            watched.check()
    finally:
        watched.close()
    if watched.problem == NOT_YET:
        yield Line("warn", f"the read replica is more than {PATIENCE:.0f} s behind: look at pg_stat_replication on the "
                   "primary, and at what runs on the replica")  # fmt: skip
    elif watched.problem:
        yield Line("fail", f"DATABASE_URL_READ {watched.problem}: until it is a replica of DATABASE_URL's server, "
                   "pages and the API read the primary")  # fmt: skip
        return
    else:
        yield Line("ok", f"the read replica follows the primary within {time.monotonic() - began:.1f} s")
    yield from _settings(config)


def _settings(config: Config) -> Iterator[Line]:
    dsn = db.dsn(config, "spendai_auth", read=True)
    with psycopg.connect(dsn, prepare_threshold=None) as conn:
        feedback, connections = conn.execute(SETTINGS).fetchone()
    if not feedback:
        yield Line("warn", "vacuum on the primary may cancel what is read on the replica, which the primary then "
                   "answers: alter system set hot_standby_feedback = on, on the replica")  # fmt: skip
    wanted = config.workers * db.READ_CONNECTIONS_PER_WORKER
    said = f"this gateway takes up to {wanted} connections to the read replica, which has {connections} for all"
    status = "ok" if wanted <= connections else "warn"
    yield Line(status, said if status == "ok" else f"{said}: raise max_connections there, or put PgBouncer in front")


CHECKS: tuple[Check, ...] = (replica,)
