"""Checks of `flask doctor` on SPENDAI_HOME (spool, disk, secrets), stored keys and time-outs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import psycopg

from webapp import db
from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.ledger.batcher import DEADLINE
from webapp.ledger.spool import REJECTED, can_write, read_lines
from webapp.metrics.scrape import free_bytes
from webapp.secrets.stored import unreadable
from webapp.written import many

ROOMY, TIGHT = 2 << 30, 200 << 20  # bytes free on the disk: below the first a warning, below the second a failure
TIMEOUT = "select setting::int / 1000.0::float8 from pg_settings where name = 'statement_timeout'"


def spool(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Spool files that no running gateway has locked: the calls in them are settled by the next one that starts."""
    left, unread = [], False
    folder = config.home / "spool"
    if (folder / REJECTED).exists():
        count = len({message["id"] for message in read_lines((folder / REJECTED).read_bytes())})
        yield Line("warn", f"the database rejected the ends of {many(count, 'call')}, as of another database or of a "
                   f"removed organization; see {folder / REJECTED} in docs/reliability.md")  # fmt: skip
    for path in sorted(folder.glob("*.spool")):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                data = file.read()
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError as error:
            unread = True
            yield Line("fail", f"{path} cannot be read ({error.strerror}), and until it can, no gateway with this "
                       "SPENDAI_HOME is ready: give it to the user SpendAI runs as")  # fmt: skip
            continue
        read = list(read_lines(data))
        left += read
        if damaged := len(data.splitlines()) - len(read):
            yield Line(
                "warn", f"{path.name} has {many(damaged, 'damaged line')}, as after a power cut: calls are in doubt"
            )
    if left:
        yield Line("warn", f"{many(len(left), 'call')} waiting in {folder}: start SpendAI with this SPENDAI_HOME")
    elif can_write(folder):
        if not unread:
            yield Line("ok", "the spool is empty and can be written")
    else:
        yield Line("fail", f"{folder} cannot be written: give it to the user SpendAI runs as")


def disk(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    free = free_bytes(config.home)
    status = "fail" if free < TIGHT else "warn" if free < ROOMY else "ok"
    said = f"{free >> 20} MB are free for {config.home}"
    yield Line(status, said if status == "ok" else f"{said}: make room, else calls cannot be spooled")


def secret_files(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    wide = [path for path in (config.home / "secrets").glob("*") if path.stat().st_mode & 0o077]
    for path in wide:
        yield Line("fail", f"other users of this machine may read {path}: chmod 600 {path}, and change the secret")
    if not wide:
        yield Line("ok", "only this user can read the generated secrets")


def stored_keys(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    if wrong := unreadable(conn, config):
        yield Line("fail", wrong)
    else:
        yield Line("ok", "the stored OpenAI keys can be decrypted")


def time_outs(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether one time-out makes another useless: of the database, of OpenAI's answers, of a stop."""
    with psycopg.connect(db.dsn(config, "spendai_proxy"), prepare_threshold=None) as ledger:
        (seconds,) = ledger.execute(TIMEOUT).fetchone()
    if 0 < seconds < DEADLINE:
        yield Line("warn", f"statement_timeout of role spendai_proxy is {seconds:g} s, so calls are refused while the "
                   f"database is busy: set it to 0, or above {DEADLINE:g} s")  # fmt: skip
    if config.upstream_read_timeout > config.call_max_seconds:
        yield Line(
            "warn",
            "UPSTREAM_READ_TIMEOUT is above CALL_MAX_SECONDS: a silent call is in doubt before it ends",
        )
    if config.drain_seconds > 300:
        yield Line(
            "warn",
            f"stopping may take {config.drain_seconds + 15} s (DRAIN_SECONDS): let the service manager wait as long",
        )


CHECKS: tuple[Check, ...] = (spool, disk, secret_files, stored_keys, time_outs)
