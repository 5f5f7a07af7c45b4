"""Reads the Usage API: what OpenAI counted for each project, key and model, in whole days and in single minutes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from webapp.books.administration import Administration, Params
from webapp.books.costs import results_of
from webapp.books.values import BooksError, exact, midnight, moment, name, seconds

BY_KEY = ("project_id", "api_key_id", "model")
REPORTS = {
    "completions": (*BY_KEY, "batch", "service_tier"),
    "embeddings": BY_KEY,
    "moderations": BY_KEY,
    "images": BY_KEY,
    "audio_speeches": BY_KEY,
    "audio_transcriptions": BY_KEY,
    "web_search_calls": BY_KEY,
    "file_search_calls": ("project_id", "api_key_id"),
    "vector_stores": ("project_id",),
    "code_interpreter_sessions": ("project_id",),
}  # part of the Usage API → what its numbers are grouped by
MINUTES = ("completions", "embeddings")  # parts that can prove the usage of a call
BUCKETS = {"1d": 31, "1m": 1440}  # days or minutes of one page
Span = tuple[datetime, datetime]  # whole minutes, UTC; the second is not included
MOST_REQUESTS = 2**63  # what Postgres can store
REQUESTS = ("num_model_requests", "num_requests")


def fetch_days(api: Administration, since: date, until: date) -> list[dict[str, Any]]:
    """Usage of every day from ``since`` up to but without ``until``, of all parts of the API."""
    return [line for path in REPORTS for line in _read(api, path, "1d", since, until)]


def fetch_minutes(api: Administration, spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Usage of every minute within these spans. It asks for whole days and leaves out the rest."""
    wanted = list(spans)
    days = {day for since, until in wanted for day in _days(since, until)}
    lines = [
        line
        for day in sorted(days)
        for path in MINUTES
        for line in _read(api, path, "1m", day, day + timedelta(days=1))
    ]
    return [line for line in lines if _within(datetime.fromisoformat(line["start_at"]), wanted)]


def _days(since: datetime, until: datetime) -> list[date]:
    """The UTC days that a span touches."""
    first, last = since.astimezone(UTC).date(), (until - timedelta(microseconds=1)).astimezone(UTC).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _within(minute: datetime, spans: list[Span]) -> bool:
    """Whether a minute is in one of the spans, which are in order and do not overlap."""
    before = bisect_right(spans, minute, key=lambda span: span[0])
    return before > 0 and minute < spans[before - 1][1]


def _read(api: Administration, path: str, width: str, since: date, until: date) -> list[dict[str, Any]]:
    first, end = midnight(since), midnight(until)
    params: Params = [("end_time", end), *(("group_by", group) for group in REPORTS[path])]
    lines = []
    for bucket in api.buckets(f"usage/{path}", width, first, BUCKETS[width], params):
        start = seconds(bucket.get("start_time"), "the start of a bucket")
        if first <= start < end:
            lines += [_line(path, width, start, result) for result in results_of(bucket, f"usage/{path}")]
    return lines


def _line(path: str, width: str, start: int, result: dict[str, Any]) -> dict[str, Any]:
    batch = result.get("batch")
    return {
        "path": path,
        "start_at": moment(start, "the start of a bucket"),
        "width": width,
        "openai_project_id": name(result.get("project_id"), "a project's id"),
        "openai_key_id": name(result.get("api_key_id"), "a key's id"),
        "model": name(result.get("model"), "a model's name"),
        "batch": batch if isinstance(batch, bool) else None,
        "service_tier": name(result.get("service_tier"), "a tier"),
        "requests": _requests(path, result),
        "counts": _counts(path, result),
    }


def _requests(path: str, result: dict[str, Any]) -> int:
    """Requests to models; where the API has only another number of requests, that one."""
    found = next((result[field] for field in REQUESTS if result.get(field) is not None), 0)
    number = int(Decimal(exact(found, f"usage/{path}: the number of requests")))
    if not 0 <= number < MOST_REQUESTS:
        raise BooksError(f"usage/{path}: the number of requests is out of range: {number}")
    return number


def _counts(path: str, result: dict[str, Any]) -> dict[str, Any]:
    """The other numbers of a result. Numbers with a fraction are text: JSON would make them inexact."""
    counts: dict[str, Any] = {}
    for field, value in result.items():
        if field not in REQUESTS and isinstance(value, int | Decimal) and not isinstance(value, bool):
            spelled = exact(value, f"usage/{path}: {field[:40]}")
            counts[name(field, "a field's name", needed=True)] = int(value) if isinstance(value, int) else spelled
    return counts
