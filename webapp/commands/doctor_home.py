"""Checks of `flask doctor` on SPENDAI_HOME (spool, disk, secrets) and on calls (in doubt, totals, time-outs, zones)."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from webapp import db
from webapp.config import Config
from webapp.ledger.batcher import DEADLINE
from webapp.ledger.spool import read_lines
from webapp.secrets.stored import unreadable
from webapp.written import exact

ROOMY, TIGHT = 2 << 30, 200 << 20  # bytes free on the disk: below the first a warning, below the second a failure
BARE = """
select c.oid::regclass::text from pg_class c
where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
    and not c.relrowsecurity limit 3
"""
OFF = """
select t.tgrelid::regclass::text, quote_ident(t.tgname) from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and not t.tgisinternal
    and t.tgenabled in ('D', 'R') limit 3
"""
DOUBT = """
select count(*), min(started_at)::date from public.usage_logs where state = 'open' and deadline_at < now()
"""
TOTALS = """
select count(*), min(day), sum(calls), sum(cost) from (
    select org_id, day, max(calls) as calls, max(cost) as cost
    from app.totals_differences((now() - interval '35 days')::date) group by 1, 2
) d
"""
TIMEOUT = "select setting::int / 1000.0::float8 from pg_settings where name = 'statement_timeout'"
ZONES = """
select z.name, array_agg(m.at at time zone z.name order by m.at)
from (select distinct time_zone as name from public.organizations) z, unnest(%s::timestamptz[]) m (at)
group by 1 order by 1
"""


class Line(NamedTuple):
    """One finding. status: ok, warn or fail; text: what was found, and for warn and fail what to do."""

    status: str
    text: str


Check = Callable[[Config, psycopg.Connection], Iterator[Line]]


def row_security(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    found = conn.execute(BARE).fetchall()
    for (name,) in found:
        yield Line("fail", f"row level security is off on {name}: alter table {name} enable row level security")
    if not found:
        yield Line("ok", "row level security is on everywhere")


def triggers(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Triggers keep sums right and refuse changes of the ledger; a restore that was cut off may have left them off."""
    found = conn.execute(OFF).fetchall()
    for table, name in found:
        yield Line("fail", f"trigger {name} of {table} is off: alter table {table} enable trigger {name}")
    if not found:
        yield Line("ok", "every trigger is on")


def calls_in_doubt(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    number, since = conn.execute(DOUBT).fetchone()
    if number:
        yield Line("warn", f"{number} calls are in doubt, the oldest of {since}: flask calls in-doubt lists them, "
                   "flask calls settle closes one")  # fmt: skip
    else:
        yield Line("ok", "no call is in doubt")


def totals(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Triggers keep the sums of days and hours: they differ from the calls only after rows were changed without."""
    number, since, calls, cost = conn.execute(TOTALS).fetchone()
    if number:
        yield Line("fail", f"sums of days or hours are not those of their calls since {since}, by {calls} calls and "
                   f"{exact(cost)}: rows were changed while triggers were off; app.totals_differences(day) lists "
                   "them")  # fmt: skip
    else:
        yield Line("ok", "the sums of the last 35 days and of their hours agree with their calls")


def spool(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Spool files that no running gateway has locked: the calls in them are settled by the next one that starts."""
    left = []
    for path in sorted((config.home / "spool").glob("*.spool")):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                data = file.read()
        except (BlockingIOError, FileNotFoundError):
            continue
        read = list(read_lines(data))
        left += read
        if damaged := len(data.splitlines()) - len(read):
            yield Line(
                "warn", f"{path.name} has {damaged} damaged lines, as after a power cut: their calls are in doubt"
            )
    if left:
        yield Line("warn", f"{len(left)} calls wait in {config.home / 'spool'}: start SpendAI with this SPENDAI_HOME")
    elif _writable(config.home / "spool"):
        yield Line("ok", "the spool is empty and can be written")
    else:
        yield Line("fail", f"{config.home / 'spool'} cannot be written: give it to the user SpendAI runs as")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists: SPENDAI_HOME is made by the first start."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _writable(folder: Path) -> bool:
    return os.access(_existing(folder), os.W_OK | os.X_OK)


def disk(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    free = shutil.disk_usage(_existing(config.home)).free
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


def time_zones(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether days of organizations begin when Postgres begins them, who adds them up: both have rules of their own."""
    this = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    moments = [this + timedelta(days=7 * week) for week in range(-52, 53)]
    wrong = [name for name, local in conn.execute(ZONES, [moments]) if local != _local(name, moments)]
    if wrong:
        yield Line("warn", f"the database and this machine have different rules for {', '.join(wrong)}, so days begin "
                   "at another moment in sums than on pages: update tzdata here, or the database's")  # fmt: skip
    else:
        yield Line("ok", "the database and this machine have the same rules for the time zones of organizations")


def _local(name: str, moments: list[datetime]) -> list[datetime] | None:
    """What a clock shows at these moments; None where Python does not know the zone."""
    try:
        return [moment.astimezone(ZoneInfo(name)).replace(tzinfo=None) for moment in moments]
    except (ZoneInfoNotFoundError, ValueError):
        return None


CHECKS: tuple[Check, ...] = (
    row_security, triggers, calls_in_doubt, totals, spool, disk, secret_files, stored_keys, time_outs, time_zones,
)  # fmt: skip
