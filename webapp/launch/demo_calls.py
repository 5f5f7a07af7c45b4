"""The made-up calls of the demo organization: plausible, and always the same for the same day.

Weekdays have more calls than weekends, days more than nights, and each month more than the month before; one day has a
spike, one an outage. A few calls end without usage, and one model has no price.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

DAYS = 90
SPIKE, OUTAGE = (9, 2), (11, 1)  # week since the beginning, day of the week
GROWTH = 1.009  # per day
MIDNIGHT_DAY = 19  # of the month
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"


class App(NamedTuple):
    """An application that makes calls, with its project. calls: on a weekday, at the beginning; models, keys: name →
    share of the calls; tokens_in, tokens_out: median of a call; team: the value of the label team; users: end users."""

    project: str
    calls: int
    endpoint: str
    models: dict[str, float]
    tokens_in: int
    tokens_out: int
    cached: float  # share of the calls that find a good part of their input in the prompt cache
    keys: dict[str, float]
    team: str
    tier: str = "default"
    users: int = 0
    weekends: float = 0.3


LIVE = {"production": 0.93, "staging": 0.07}
APPS = (
    App("checkout-assistant", 66, CHAT, {"gpt-4.1": 0.75, "gpt-4o-mini": 0.25}, 9000, 700, 0.7, LIVE, "shop",
        users=140),
    App("support-bot", 52, RESPONSES, {"gpt-5": 0.55, "gpt-5-mini": 0.45}, 7500, 900, 0.6, LIVE, "care", users=90),
    App("search-rerank", 88, CHAT, {"gpt-4.1-mini": 0.8, "gpt-4.1-nano": 0.2}, 16000, 220, 0.3,
        {"production": 1.0}, "search", weekends=0.6),
    App("data-eng", 12, RESPONSES, {"gpt-5": 0.9, "o4-mini": 0.1}, 21000, 3800, 0.1, {"nightly": 0.8, "notebooks": 0.2},
        "data", "flex", weekends=0.9),
    App("marketing-copy", 17, CHAT, {"gpt-4o": 0.9, "gpt-4o-mini": 0.1}, 2600, 1500, 0.2, {"studio": 1.0}, "marketing",
        users=12, weekends=0.05),
    App("contract-review", 6, RESPONSES, {"gpt-5": 1.0}, 34000, 2600, 0.2, {"production": 1.0}, "legal", users=7,
        weekends=0.02),
    App("code-review", 14, CHAT, {"gpt-5": 0.4, "gpt-5-mini": 0.6}, 12000, 1100, 0.5, {"ci": 1.0}, "platform",
        weekends=0.1),
    App("docs-index", 20, EMBEDDINGS, {"text-embedding-3-small": 1.0}, 24000, 0, 0.0, {"indexer": 1.0}, "search",
        weekends=0.8),
    App("meeting-notes", 9, CHAT, {"gpt-4o-mini": 1.0}, 15000, 900, 0.0, {"production": 1.0}, "platform", weekends=0.0),
    App("experiments", 5, CHAT, {"gpt-5": 0.5, "gpt-4o": 0.3, "gpt-next-preview": 0.2}, 1800, 600, 0.1,
        {"laptop": 1.0}, "data", users=3),
)  # fmt: skip
ERRORS = ((429, 0.006), (500, 0.002), (400, 0.003))


def calls(first: date, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Messages for app.settle_calls of the calls after ``since`` and before ``until``, in order of time.

    They have the names of project and key, ``app`` and ``key``, instead of ids, and no organization. first: the day on
    which growth begins.
    """
    day = max(first, since.date())
    while day <= until.date():
        found = [call for app in APPS for call in _of_day(app, day, (day - first).days)]
        yield from (c for c in sorted(found, key=lambda c: c["started_at"]) if since < c["started_at"] < until)
        day += timedelta(days=1)


def _of_day(app: App, day: date, age: int) -> Iterator[dict[str, Any]]:
    """The calls of an application on a day; one of a month is answered only after midnight."""
    if app.project == "data-eng" and day.day == MIDNIGHT_DAY:
        chance = Random(f"midnight {day}")  # noqa: S311  # made-up numbers, no secrets
        at = datetime(day.year, day.month, day.day, 23, 59, 55, tzinfo=UTC)
        late = {"id": str(_id(at, chance)), "started_at": at, "latency_ms": 14_000, "ttft_ms": 9_000}
        yield _call(app, day, False, chance) | late
    chance = Random(f"{app.project} {day}")  # noqa: S311  # made-up numbers, no secrets
    busy = app.calls * GROWTH**age * (app.weekends if day.weekday() > 4 else 1) * chance.uniform(0.85, 1.15)
    if (age // 7, day.weekday()) == SPIKE and app.project in ("search-rerank", "data-eng"):
        busy *= 4.5
    for _ in range(round(busy)):
        yield _call(app, day, (age // 7, day.weekday()) == OUTAGE, chance)


def _call(app: App, day: date, outage: bool, chance: Random) -> dict[str, Any]:
    hour = chance.triangular(6, 23, 14.5) if app.weekends < 0.7 else chance.uniform(0, 24)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    at = midnight + timedelta(milliseconds=int(min(hour, 23.99) * 3_600_000))
    model = _one_of(app.models, chance)
    status = next((code for code, share in ERRORS if chance.random() < share), 200)
    if outage and 13 <= hour < 15 and chance.random() < 0.6:
        status = 503
    outcome = "error" if status != 200 else "no_usage" if chance.random() < 0.0006 else "complete"
    usage = _usage(app, chance) if outcome == "complete" else None
    latency = round(400 + (usage or {}).get("total_tokens", 0) * 0.11 * chance.uniform(0.6, 1.8))
    tags = {"team": app.team, "feature": f"{app.project}-{chance.choice('abc')}"}
    return {
        "id": str(_id(at, chance)), "started_at": at, "app": app.project, "key": _one_of(app.keys, chance),
        "upstream": "sandbox", "account": "sandbox", "endpoint": app.endpoint, "method": "POST",
        "stream": app.users > 0 and status == 200, "batch": False, "model_requested": model,
        "model": model if status == 200 else None, "service_tier": app.tier if status == 200 else None,
        "usage": usage, "tools": None, "outcome": outcome, "status_code": status, "latency_ms": latency,
        "ttft_ms": min(latency, chance.randint(180, 900)), "upstream_request_id": f"req_{chance.getrandbits(64):016x}",
        "upstream_object_id": None, "max_seconds": 3600, "tags": tags,
        "end_user": f"user-{min(int(chance.expovariate(4 / app.users)), app.users - 1):03}" if app.users else None,
    }  # fmt: skip


def _usage(app: App, chance: Random) -> dict[str, Any]:
    """OpenAI's usage object, with the field names of the Responses API or of Chat Completions and Embeddings."""
    tokens_in = max(12, round(chance.lognormvariate(math.log(app.tokens_in), 0.6)))
    tokens_out = max(1, round(chance.lognormvariate(math.log(app.tokens_out), 0.7))) if app.tokens_out else 0
    cached = int(tokens_in * chance.uniform(0.3, 0.85)) // 128 * 128 if chance.random() < app.cached else 0
    total = {"total_tokens": tokens_in + tokens_out}
    if app.endpoint == RESPONSES:
        thought = {"output_tokens_details": {"reasoning_tokens": int(tokens_out * chance.uniform(0, 0.6))}}
        known = {"input_tokens": tokens_in, "output_tokens": tokens_out, **thought}
        return known | total | {"input_tokens_details": {"cached_tokens": cached}}
    if not tokens_out:
        return {"prompt_tokens": tokens_in} | total
    known = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
    return known | total | {"prompt_tokens_details": {"cached_tokens": cached}}


def _one_of(shares: dict[str, float], chance: Random) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]


def _id(at: datetime, chance: Random) -> UUID:
    """A UUIDv7 like the gateway's, but from a seeded generator: a day has the same ids each time."""
    now_ms = round(at.timestamp() * 1000)
    return UUID(int=now_ms << 80 | 0x7 << 76 | chance.getrandbits(12) << 64 | 0b10 << 62 | chance.getrandbits(62))
