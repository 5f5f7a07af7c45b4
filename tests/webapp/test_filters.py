"""Periods and filters: what a query string means, and that it survives being written again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from webapp.errors import ApiError
from webapp.filters import EXCLUSIONS, FILTERS, Query, as_args, groups, read, whole, zones

NOW = datetime(2026, 11, 29, 21, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def args(query: str) -> MultiDict[str, str]:
    return MultiDict(parse_qsl(query, keep_blank_values=True))


def page(query: str, zone: ZoneInfo = BERLIN) -> Query:
    """As pages read it: in the organization's zone, with the last day included."""
    return read(args(query), zone, inclusive=True, now=NOW)


def days(query: Query) -> tuple[str, str]:
    """First and last day."""
    return query.span.first.isoformat(), query.span.last.isoformat()


@pytest.mark.parametrize(
    ("query", "count"), [("", 30), ("period=", 30), ("period=30", 30), ("period=7", 7), ("period=today", 1)]
)
def test_a_period_in_days_ends_with_today(query: str, count: int) -> None:
    found = read(args(query), now=NOW)
    assert (found.since, found.until) == (
        datetime(2026, 11, 30, tzinfo=UTC) - timedelta(days=count),
        datetime(2026, 11, 30, tzinfo=UTC),
    )


def test_days_are_those_of_the_zone() -> None:
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # in Berlin November has begun
    assert days(read(args("period=month"), BERLIN, now=late)) == ("2026-11-01", "2026-11-01")
    assert days(read(args("period=month&tz=UTC"), BERLIN, now=late)) == ("2026-10-01", "2026-10-31")
    found = read(args("period=last-month"), BERLIN, now=late)
    assert (found.since, found.until) == (
        datetime(2026, 9, 30, 22, tzinfo=UTC),
        datetime(2026, 10, 31, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(("query", "since", "until"), [
    ("from=2026-01-01&to=2026-02-01", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    ("from=2026-01-01T00:00:00Z&to=2026-01-01T12:30:00.5Z", datetime(2026, 1, 1, tzinfo=UTC),
     datetime(2026, 1, 1, 12, 30, 0, 500000, UTC)),
    ("from=2026-01-01T02:00:00%2B02:00&to=2026-01-02", datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC)),
    ("from=2026-01-01T02:00:00+02:00&to=2026-01-02", datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC)),
    ("to=2026-02-01", datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    ("from=2026-11-01", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)),
    ("from=1970-01-01&to=2999-12-31", datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)),
])  # fmt: skip
def test_in_the_api_from_is_inclusive_to_exclusive_and_both_are_utc(
    query: str, since: datetime, until: datetime
) -> None:
    found = read(args(query), now=NOW)
    assert (found.since, found.until, found.period) == (since, until, "custom")


def test_on_pages_the_last_day_is_included_and_a_moment_is_not() -> None:
    one_day = page("from=2026-10-25&to=2026-10-25")
    assert one_day.until - one_day.since == timedelta(hours=25)
    found = page("from=2026-10-25T10:00&to=2026-10-25T11:30:00Z")
    assert (found.since, found.until) == (
        datetime(2026, 10, 25, 9, tzinfo=UTC),
        datetime(2026, 10, 25, 11, 30, tzinfo=UTC),
    )
    assert days(page("to=2026-11-29")) == ("2026-10-31", "2026-11-29")
    assert days(page("from=2026-11-29")) == ("2026-11-29", "2026-11-29")


@pytest.mark.parametrize("query", [
    "", "period=last-month&grain=week&compare=year", "from=2026-10-25&to=2026-10-25&tz=Asia/Kolkata",
    "from=2026-10-25T10:30:00Z&to=2026-10-26T00:00:00Z&model=a&model=b&not_tag=x&end_user=-&not_end_user=--",
    "from=1970-01-01&to=2999-12-31",
])  # fmt: skip
def test_what_is_written_reads_as_the_same_again(query: str) -> None:
    found = page(query)
    assert page(urlencode(as_args(found), doseq=True)) == found


@pytest.mark.parametrize(("query", "param"),
    [("from=x", "from"), ("to=2026-02-30", "to"), ("from=2026-02-01&to=2026-01-01", "from"),
    ("period=8", "period"), ("period=year", "period"),
    ("from=0001-01-01", "from"), ("to=3000-01-01", "to"),
    ("from=0001-01-01T00:00:00%2B14:00", "from"), ("to=9999-12-31T23:59:59-14:00", "to"),
    ("from=1969-12-31", "from"), ("from=2026-11-30", "from"), ("tz=Europe/Atlantis", "tz"), ("tz=../etc/passwd", "tz"),
    ("grain=minute", "grain"), ("compare=eve", "compare")])  # fmt: skip
def test_a_period_that_cannot_be_names_the_parameter(query: str, param: str) -> None:
    for inclusive in (False, True):
        with pytest.raises(ApiError) as refused:
            read(args(query), inclusive=inclusive, now=NOW)
        assert (refused.value.status, refused.value.param) == (400, param)
    with pytest.raises(ApiError):
        read(args("from=2026-01-01&to=2026-01-01"))


@pytest.mark.parametrize(("query", "grain"), [
    ("period=today", "hour"), ("from=2026-10-24&to=2026-10-25", "hour"), ("from=2026-10-23&to=2026-10-25", "day"),
    ("period=30", "day"), ("from=2026-01-01&to=2026-04-02", "day"), ("from=2026-01-01&to=2026-04-03", "week"),
    ("from=2026-01-01&to=2026-12-31", "week"), ("from=2025-01-01&to=2026-12-31", "month"),
    ("period=today&grain=month", "month"), ("period=30&grain=hour", "hour"),
    ("from=2026-01-01&to=2026-12-31&grain=hour", "week"), ("from=1990-01-01&to=2026-12-31&grain=day", "month"),
])  # fmt: skip
def test_bars_are_as_long_as_asked_or_as_fits_the_period(query: str, grain: str) -> None:
    assert page(query).grain == grain


def test_the_period_compared_with_is_that_of_the_zone() -> None:
    found = page("period=month")
    assert found.before == (datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 29, 23, tzinfo=UTC))
    assert found.before_words == "1–29 Oct 2026"
    none = page("period=month&compare=none")
    assert (none.before, none.before_words) == (None, "")


def test_earlier_and_later_periods_go_by_their_names_where_they_have_one() -> None:
    month = page("period=month&model=a&grain=week")
    last = month.beside(-1)
    assert as_args(last) == {"period": "last-month", "grain": "week", "model": ["a"]}
    assert (as_args(last.beside(1))["period"], month.beside(1)) == ("month", None)
    assert as_args(page("period=today").beside(-1)) == {"period": "yesterday"}
    assert as_args(page("").beside(-1)) == {"from": "2026-10-01", "to": "2026-10-30"}
    assert as_args(page("").beside(-1).beside(1)) == {"period": "30"}
    assert page("from=1970-01-01&to=1970-12-31").beside(-1) is None


def test_a_zone_can_be_chosen_by_its_place() -> None:
    assert zones()[0] == "UTC" and {"Europe/Berlin", "America/Argentina/Ushuaia"} <= set(zones())
    assert not [name for name in zones() if name.startswith(("Etc/", "posix", "US/"))]


def test_filters_repeat_and_empty_ones_are_none() -> None:
    names = (*FILTERS, *EXCLUSIONS)
    query = "&".join(f"{name}=a&{name}=&{name}=b&{name}=a" for name in names) + "&other=x"
    assert read(args(query)).filters == {name: ["a", "b"] for name in names}


def test_a_dash_is_no_value_and_a_value_of_dashes_has_one_more() -> None:
    found = read(args("end_user=-&end_user=--&end_user=a-&model=-"))
    assert found.filters == {"model": [""], "end_user": ["", "-", "a-"]}


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
