"""Periods and filters: what a query string means, and that it survives being written again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from werkzeug.datastructures import MultiDict

from webapp.errors import ApiError
from webapp.filters import FILTERS, as_args, groups, read, whole


def args(query: str) -> MultiDict[str, str]:
    return MultiDict(parse_qsl(query, keep_blank_values=True))


def midnight(days: int = 0) -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


@pytest.mark.parametrize(
    ("query", "days"), [("", 30), ("period=", 30), ("period=30", 30), ("period=7", 7), ("period=today", 1)]
)
def test_a_period_in_days_ends_with_today(query: str, days: int) -> None:
    found = read(args(query))
    assert (found.since, found.until) == (midnight(1 - days), midnight(1))


def test_months_are_calendar_months_in_utc() -> None:
    this, last = read(args("period=month")), read(args("period=last-month"))
    assert (this.since.day, this.until) == (1, midnight(1))
    assert last.until == this.since and last.since.day == 1 and 28 <= (last.until - last.since).days <= 31


@pytest.mark.parametrize(("query", "since", "until"), [
    ("from=2026-01-01&to=2026-02-01", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    ("from=2026-01-01T00:00:00Z&to=2026-01-01T12:30:00.5Z", datetime(2026, 1, 1, tzinfo=UTC),
     datetime(2026, 1, 1, 12, 30, 0, 500000, UTC)),
    ("from=2026-01-01T02:00:00%2B02:00&to=2026-01-02", datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC)),
    ("from=2026-01-01T02:00:00+02:00&to=2026-01-02", datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC)),
    ("to=2026-02-01", datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    ("from=1970-01-01&to=2999-12-31", datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)),
])  # fmt: skip
def test_from_is_inclusive_to_exclusive_and_both_are_utc(query: str, since: datetime, until: datetime) -> None:
    found = read(args(query))
    assert (found.since, found.until, found.period) == (since, until, "custom")
    assert found.before.until == since and found.before.until - found.before.since == until - since
    assert read(args("&".join(f"{k}={v}" for k, v in as_args(found).items()))) == found


@pytest.mark.parametrize(("query", "param"),
    [("from=x", "from"), ("to=2026-02-30", "to"), ("from=2026-02-01&to=2026-01-01", "from"),
    ("from=2026-01-01&to=2026-01-01", "from"), ("period=8", "period"), ("period=year", "period"),
    ("from=0001-01-01", "from"),
    ("from=0001-01-01T00:00:00%2B14:00", "from"), ("to=9999-12-31T23:59:59-14:00", "to"),
    ("from=1969-12-31", "from")])  # fmt: skip
def test_a_period_that_cannot_be_names_the_parameter(query: str, param: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(args(query))
    assert (refused.value.status, refused.value.param) == (400, param)


def test_filters_repeat_and_empty_ones_are_none() -> None:
    query = "&".join(f"{name}=a&{name}=&{name}=b" for name in FILTERS) + "&other=x"
    assert read(args(query)).filters == {name: ["a", "b"] for name in FILTERS}


def test_a_nul_that_postgres_could_not_take_is_dropped() -> None:
    assert read(MultiDict([("model", "a\x00b")])).filters == {"model": ["ab"]}


def test_group_words_may_be_joined_or_repeated_and_count_once() -> None:
    assert groups(args("group_by=day,project&group_by=day, key")) == ["day", "project", "key"]
    assert groups(args("")) == groups(args("group_by=,")) == []
    with pytest.raises(ApiError, match="group_by"):
        groups(args("group_by=day,colour"))


@pytest.mark.parametrize(("text", "number"), [
    ("1", 1), ("1000", 1000), ("0000000000005", 5), ("0", None), ("1001", None), ("0000000011000", None),
    ("9" * 5000, None), ("0" * 5000 + "7", 7), ("", None), ("-1", None), ("+1", None), (" 1", None), ("1_0", None),
    ("²", None), ("\u0663", None), ("1.0", None), ("1e2", None),
])  # fmt: skip
def test_a_whole_number_is_read_with_all_its_digits_and_then_bounded(text: str, number: int | None) -> None:
    assert whole(text, 1, 1000) == number
