"""Fills a ledger with any number of made-up calls, fast: inserts into the months' partitions, then sums up the days.

Twelve months until now for one big company (90 % of the calls) and two small ones: 20 projects with three keys each,
three models a project, 2,000 end users, each of one project, tags, errors, calls without a price or usage.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import psycopg

from webapp.auth.passwords import hashed

DAYS = 365
PASSWORD = "made up for the bench"  # of the admins: large@bench.test, medium@…, small@…
SHARES = {"Large": 0.9, "Medium": 0.09, "Small": 0.01}
CHUNK = 100_000
ORGANIZATION = """
with o as (insert into public.organizations (name, is_demo) values (%(name)s, true) returning id),
    u as (select local_auth.create_user(lower(%(name)s) || '@bench.test', %(password)s) as id),
    m as (insert into public.members (user_id, org_id, role, email)
          select u.id, o.id, 'admin', lower(%(name)s) || '@bench.test' from o, u),
    p as (insert into public.projects (org_id, name) select o.id, 'project ' || n from o, generate_series(1, 20) n
          returning org_id, id, name),
    k as (insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash)
          select gen_random_uuid(), org_id, id, 'key ' || n, 'sk-spend-' || n, sha256((id::text || n)::bytea)
          from p, generate_series(1, 3) n)
select o.id, u.id from o, u
"""
# The numbers of a call look random but are the same every time: parts of the hash of the call's own number.
CALLS = """
insert into private.{month} (
    id, org_id, project_id, api_key_id, started_at, deadline_at, settled_at, state, upstream, endpoint, method, stream,
    batch, status_code, latency_ms, ttft_ms, model_requested, model, service_tier, tokens_in, tokens_out, tokens_cached,
    cost, cost_status, usage, cost_lines, upstream_request_id, upstream_object_id, end_user, tags)
select
    (lpad(to_hex((extract(epoch from c.at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(c.h %% 4096), 3, '0')
        || '8' || lpad(to_hex(c.n), 9, '0') || substr(md5(%(org)s::text), 1, 6))::uuid,
    %(org)s, c.project_id, c.api_key_id, c.at, c.at + interval '1 h', c.at + interval '1 s', 'settled', 'sandbox',
    case when c.h %% 10 = 0 then '/v1/responses' else '/v1/chat/completions' end, 'POST', c.h %% 2 = 0, false,
    case when c.failed then (array[429, 500, 400])[1 + c.h %% 3] else 200 end, 400 + c.h %% 900, 100 + c.h %% 200,
    c.model, c.model || '-2025-08-07', 'default',
    case when not c.failed then 500 + c.h %% 4000 end, case when not c.failed then 50 + c.h %% 900 end,
    case when not c.failed then c.h %% 500 end,
    case when c.failed then 0
        when c.known then (500 + c.h %% 4000) * 0.00000125 + (50 + c.h %% 900) * 0.00001 end,
    case when c.failed then 'error' when c.known then 'priced' when c.h %% 3 = 0 then 'no_usage'
        else 'unpriced_model' end,
    case when not c.failed then jsonb_build_object('prompt_tokens', 500 + c.h %% 4000, 'completion_tokens',
        50 + c.h %% 900, 'total_tokens', 550 + c.h %% 4900,
        'prompt_tokens_details', jsonb_build_object('cached_tokens', c.h %% 500)) end,
    case when not c.failed and c.known then jsonb_build_array(
        jsonb_build_object('dimension', 'input_text', 'quantity', 500 + c.h %% 4000, 'unit_price', 1.25,
            'unit_qty', 1000000, 'cost', (500 + c.h %% 4000) * 0.00000125, 'price_id', 17),
        jsonb_build_object('dimension', 'output_text', 'quantity', 50 + c.h %% 900, 'unit_price', 10,
            'unit_qty', 1000000, 'cost', (50 + c.h %% 900) * 0.00001, 'price_id', 18)) end,
    'req_' || md5(c.n::text), 'chatcmpl-' || md5(c.h::text),
    case when c.h %% 10 < 4 then 'user-' || c.place || '-' || c.h %% 34 end,
    case when c.h %% 10 < 6 then jsonb_build_object('team', 'team ' || c.place,
        'env', (array['prod', 'staging'])[1 + c.h %% 2]) else '{{}}' end
from (
    select n.n, n.h, n.at, k.*,
        (array['gpt-5', 'gpt-5-mini', 'gpt-4.1', 'gpt-4o', 'gpt-4o-mini', 'o4-mini', 'gpt-4.1-mini'])
            [1 + (k.place + n.h %% 3) %% 7] as model, n.h %% 97 = 0 as failed, n.h %% 211 <> 0 as known
    from (
        select n, ('x' || substr(md5(n::text), 1, 7))::bit(28)::int as h,
            %(start)s::timestamptz + n * (%(span)s::interval / %(calls)s) as at
        from generate_series(%(low)s::bigint, %(high)s::bigint) n
    ) n
    join (
        select p.id as project_id, k.id as api_key_id, row_number() over (order by p.name, k.name) as place
        from public.projects p join public.api_keys k on k.project_id = p.id where p.org_id = %(org)s
    ) k on k.place = 1 + n.h %% 60
) c
"""
TOTALS = """
insert into public.{part}_totals
select org_id, {moment}, project_id, api_key_id, model, endpoint,
    service_tier, status_code, cost_status, upstream, 64, count(*), coalesce(sum(tokens_in), 0),
    coalesce(sum(tokens_cached), 0), 0, coalesce(sum(tokens_out), 0), 0, 0, 0, coalesce(sum(cost), 0), 0, 0,
    sum(k.cost_input), sum(k.cost_cached), sum(k.cost_cache_write), sum(k.cost_output), sum(k.cost_reasoning),
    sum(k.cost_audio), sum(k.cost_image), sum(k.cost_tools), sum(k.cost_region)
from private.{month} cross join lateral app.cost_kinds(cost, cost_lines, tokens_reasoning) k
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""
LABELS = """
insert into public.{part}_labels
select org_id, kind, {moment}, label, project_id, api_key_id, upstream, 64, count(*),
    coalesce(sum(tokens_in), 0), coalesce(sum(tokens_cached), 0), coalesce(sum(tokens_out), 0), coalesce(sum(cost), 0),
    count(*) filter (where cost_status = 'unpriced_model'), count(*) filter (where cost_status = 'no_usage'),
    count(*) filter (where status_code >= 400), 0, 0
from private.{month}
cross join lateral (
    select 'end_user' as kind, end_user as label where end_user is not null
    union all
    select 'tagged', '' where tags <> '{{}}'
    union all
    select 'tag', x.key || '=' || x.value from jsonb_each_text(tags) x
) l
group by 1, 2, 3, 4, 5, 6, 7
"""
MOMENTS = {
    "daily": "(started_at at time zone 'utc')::date",
    "hourly": "date_bin('1 hour', started_at, '2000-01-01 00:00+00')",
}


Period = tuple[datetime, datetime]  # [since, until)


class Company(NamedTuple):
    """An organization of the benchmark: its id, its admin's id, and how many calls it has."""

    org_id: UUID
    user_id: UUID
    calls: int


def months(start: datetime, until: datetime) -> list[Period]:
    """[since, until) of every month in a period; the first and the last one only as far as the period goes."""
    found = []
    while start < until:
        following = (start.replace(day=1) + timedelta(days=32)).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        found.append((start, min(following, until)))
        start = following
    return found


def fill(dsn: str, calls: int) -> dict[str, Company]:
    """Make the companies, with `calls` calls in all, two months at a time; returns them by name. dsn: a superuser's."""
    until = datetime.now(UTC)
    start = (until - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    companies, begun, words = {}, time.monotonic(), {"password": hashed(PASSWORD)}
    with psycopg.connect(dsn, autocommit=True) as conn:
        for name, share in SHARES.items():
            companies[name] = Company(
                *conn.execute(ORGANIZATION, words | {"name": name}).fetchone(), round(calls * share)
            )
        todo = months(start, until)
        for since, _ in todo:
            conn.execute("select app.ensure_partition(%s)", [since.date()])
    waiting, done = list(reversed(todo)), [0]

    def work() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while waiting:
                since, following = waiting.pop()
                for rows in fill_month(conn, companies.values(), (start, until), (since, following)):
                    done[0] += rows
                    _progress(done[0], calls, begun)

    with ThreadPoolExecutor(2) as pool:
        for worker in [pool.submit(work) for _ in range(2)]:
            worker.result()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "vacuum analyze public.usage_logs, public.daily_totals, public.daily_labels, public.hourly_totals,"
            " public.hourly_labels"
        )
        conn.execute("analyze public.projects, public.organizations, public.api_keys, public.members")
    print(f"\n{done[0]:,} calls in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return companies


def fill_month(conn: psycopg.Connection, companies: Iterable[Company], period: Period, month: Period) -> Iterator[int]:
    """The calls of one month, then its sums; yields how many calls each statement wrote."""
    yield from insert_month(conn, companies, period, month)
    table = f"usage_logs_{month[0]:%Y_%m}"
    for part, moment in MOMENTS.items():
        for statement in (TOTALS, LABELS):
            conn.execute(statement.format(month=table, part=part, moment=moment))


def insert_month(
    conn: psycopg.Connection, companies: Iterable[Company], period: Period, month: Period
) -> Iterator[int]:
    """The calls of one month without its sums; yields how many calls each statement wrote."""
    (start, until), (since, following) = period, month
    table = f"usage_logs_{since:%Y_%m}"
    for company in companies:
        gap = (until - start) / company.calls  # between two calls
        low, high = -(-(since - start) // gap), -(-(following - start) // gap) - 1
        for first in range(low, high + 1, CHUNK):
            last = min(first + CHUNK - 1, high)
            words = {"org": company.org_id, "start": start, "span": until - start, "calls": company.calls}
            conn.execute(CALLS.format(month=table), words | {"low": first, "high": last})
            yield last - first + 1


def _progress(done: int, calls: int, begun: float) -> None:
    if sys.stderr.isatty():
        left = (time.monotonic() - begun) * (calls / done - 1)
        bar = "#" * round(done / calls * 40)
        print(f"\r[{bar:<40}] {done:,} of {calls:,} calls, {left:.0f} s left  ", end="", file=sys.stderr, flush=True)
