"""Checks of `flask doctor` on what is in the database: rights, partitions, triggers, open calls, sums, time zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.postgres import migrations
from webapp.written import exact, many

MONTHS = 3  # months after this one that should have a partition of usage_logs
# Rights on the product's tables, views and functions of roles that act for no signed-in person: there must be none.
OPEN = """
select c.oid::regclass::text, r.role from pg_class c, unnest(array['anon', 'service_role', 'spendai_web']) r (role)
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
    and (has_any_column_privilege(r.role, c.oid, 'select, insert, update')
        or has_table_privilege(r.role, c.oid, 'delete, truncate'))
union all
select p.oid::regprocedure::text, r.role from pg_proc p, unnest(array['anon', 'service_role']) r (role)
where pronamespace = 'app'::regnamespace and has_function_privilege(r.role, p.oid, 'execute')
limit 3
"""
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
ZONES = """
select z.name, array_agg(m.at at time zone z.name order by m.at)
from (select distinct time_zone as name from public.organizations) z, unnest(%s::timestamptz[]) m (at)
group by 1 order by 1
"""


def rights(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    found = conn.execute(OPEN).fetchall()
    for name, role in found:
        yield Line("fail", f"{role} has rights on {name}: revoke all on it from {role}")
    if not found:
        yield Line("ok", "tables and functions are closed to roles without a signed-in person")


def partitions(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    if migrations.missing_months(conn, 0):
        yield Line("fail", "usage_logs has no partition for this month: run flask migrate")
    elif migrations.missing_months(conn, MONTHS):
        yield Line("warn", f"usage_logs has no partition for one of the next {MONTHS} months: run flask migrate")
    else:
        yield Line("ok", f"usage_logs has partitions for the next {MONTHS} months")


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
        yield Line("warn", f"{many(number, 'call')} in doubt, the oldest of {since}: flask calls in-doubt lists them, "
                   "flask calls settle closes one")  # fmt: skip
    else:
        yield Line("ok", "no call is in doubt")


def totals(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Triggers keep the sums of days and hours: they differ only if rows were changed while these were off."""
    number, since, calls, cost = conn.execute(TOTALS).fetchone()
    if number:
        yield Line("fail", f"sums of days or hours are not those of their calls since {since}, by "
                   f"{many(calls, 'call')} and {exact(cost)}: rows were changed while triggers were off; "
                   "flask totals differences lists them, docs/operation.md says how to go on")  # fmt: skip
    else:
        yield Line("ok", "the sums of the last 35 days and of their hours agree with their calls")


def time_zones(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Whether Postgres, which adds up days, and Python, which shows them, know the same rules of the time zones."""
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


CHECKS: tuple[Check, ...] = (rights, partitions, row_security, triggers, calls_in_doubt, totals, time_zones)
