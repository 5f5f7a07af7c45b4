"""app.price_calls: many calls at once, each as price_usage prices it."""

from __future__ import annotations

import json
from decimal import Decimal

from checks import executors
from pricing import NOW, chat

MIDNIGHT = "2026-08-21T00:00:00Z"  # gpt-5.6-sol became cheaper
CALLS = [
    {"model": "gpt-4o", "usage": chat(10, 5)},
    {"model": "gpt-4o", "usage": chat(20, 5), "service_tier": "priority"},
    {"model": "gpt-4o", "usage": chat(20, 5), "batch": True},
    {"model": "gpt-4o", "usage": chat(20, 5), "tools": {"web_search_calls": 1}},
    {"model": None, "model_requested": "tts-1", "endpoint": "/v1/audio/speech", "usage": {"characters": 9}},
    {"model": "omni-moderation-latest", "endpoint": "/v1/moderations", "usage": None},
    {"model": "sora-2-pro", "usage": {"size": "1792x1024"}, "tools": {"video_seconds": 4}},
    {"model": "sora-2-pro", "usage": {"size": "1280x720"}, "tools": {"video_seconds": 4}},
    {"model": "gpt-9", "usage": chat(1, 1)},
    {"model": "gpt-4o", "usage": "garbage"},
    {"model": "gpt-5.4", "usage": chat(1, 1) | {"tool_usage": {"image_gen": chat(5, 5), "image_model": "gpt-image-1"}}},
    {
        "model": "gpt-5.4",
        "usage": chat(1, 1) | {"tool_usage": {"image_gen": chat(5, 5), "image_model": "gpt-image-1.5"}},
    },
    {"model": "gpt-5.6-sol", "usage": chat(1000, 0)},
    {"model": "gpt-5.6-sol", "usage": chat(1000, 0) | {"region": "eu"}},
    {"model": "gpt-5.6-sol", "usage": chat(1000, 0) | {"completion_window": "2h"}},
    {"model": "gpt-5.6-sol", "usage": chat(1000, 0) | {"svg_usage": chat(5, 5) | {"model": "gpt-5.4"}}},
    {"model": "gpt-5.6-sol", "usage": chat(1000, 0) | {"svg_usage": chat(5, 5) | {"model": "gpt-4o"}}},
    {"model": "gpt-5.6-sol", "usage": chat(1000, 0), "service_tier": "eco"},
    {"model": "ada", "model_requested": "text-embedding-ada-002", "endpoint": "/v1/embeddings", "usage": chat(9, 0)},
    {},
]

SAME = """
select c.cost, (c.cost, c.cost_status, c.cost_lines) is not distinct from (p.cost, p.cost_status, p.cost_lines) as same
from rows from (
    jsonb_to_recordset(%(calls)s::jsonb) as (org_id uuid, endpoint text, model text, model_requested text,
        service_tier text, batch boolean, usage jsonb, tools jsonb, started_at timestamptz),
    unnest(app.price_calls(array(select s from jsonb_populate_recordset(null::app.settlement, %(calls)s::jsonb) s)))
) with ordinality as c (org_id, endpoint, model, model_requested, service_tier, batch, usage, tools, started_at)
cross join lateral app.price_usage(c.org_id, c.endpoint, c.model, c.model_requested, c.service_tier, c.batch, c.usage,
    c.tools, c.started_at) p
order by c.ordinality
"""


def told(calls):
    return json.dumps([{"endpoint": "/v1/chat/completions", "started_at": NOW} | call for call in calls])


def test_many_calls_cost_what_each_costs_alone(db, people):
    db.execute(
        "insert into model_prices (org_id, model, dimension, unit_price, unit_qty, valid_from, source)"
        " values (%s, 'gpt-4o', 'input_text', 1, 1000000, '-infinity', 'test')", [people.orgs["ada"]]
    )  # fmt: skip
    own = [c | {"org_id": str(people.orgs["ada"])} for c in CALLS]
    rows = db.execute(SAME, {"calls": told(CALLS * 2 + own)}).fetchall()
    assert [row["same"] for row in rows] == [True] * len(CALLS) * 3
    assert rows[0]["cost"] != rows[len(CALLS) * 2]["cost"], "the organization's own price makes a difference"


def test_a_price_that_changes_within_the_batch_divides_it(db):
    calls = [{"model": "gpt-5.6-sol", "usage": chat(1000, 0), "started_at": f"2026-08-{moment}Z"}
             for moment in ("20T23:59:58", "20T23:59:59", "21T00:00:00", "21T00:00:01")]  # fmt: skip
    rows = db.execute(SAME, {"calls": told(calls)}).fetchall()
    assert [row["cost"] * 1000 for row in rows] == [5, 5, 4, 4]
    assert all(row["same"] for row in rows)


def test_long_and_short_calls_of_a_model_have_their_own_prices(db):
    calls = [{"model": "gpt-5.4", "usage": chat(tokens, 0)}
             for tokens in (1, 100_000, 100_001, 272_000, 272_001, "272001", None)]  # fmt: skip
    rows = db.execute(SAME, {"calls": told(calls * 2)}).fetchall()
    assert all(row["same"] for row in rows)
    assert rows[4]["cost"] == rows[5]["cost"] > rows[3]["cost"] * Decimal("1.9")


def test_a_null_has_no_price_and_keeps_its_place(db):
    assert db.execute("select app.price_calls('{}') as prices").fetchone()["prices"] == "{}"
    priced = """
        select c.cost from jsonb_populate_record(null::app.settlement, %s::jsonb) s
        cross join unnest(app.price_calls(array[null, s, null, s])) c
    """
    call = json.loads(told([CALLS[0]]))[0]
    costs = [row["cost"] for row in db.execute(priced, [json.dumps(call)]).fetchall()]
    assert costs[0] is costs[2] is None
    assert costs[1] == costs[3] > 0


def test_nobody_but_the_owner_may_run_it(db):
    assert executors(db, "price_calls") == set()
