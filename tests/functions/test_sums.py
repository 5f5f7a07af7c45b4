"""app.sums: for every question the sums equal those of the calls themselves, which the tests add up in Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any

import pytest
from checks import examples, executors, some
from hypothesis import given
from hypothesis import strategies as st
from ledgers import DAY, add_call, add_open_call, adjust
from people import People
from spending import days_ago, spent
from totals import EARLY, LATE, MIDNIGHT, NUMBERS, WORDS, Busy, Filters, added_up, app_sums, entries

TINY = timedelta(microseconds=1)
FOREVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def hours(*of_day: float) -> tuple[datetime, datetime]:
    begin, end = (MIDNIGHT + timedelta(hours=n) for n in of_day)
    return begin, end


# name → beginning and end; there are calls on the three days before MIDNIGHT and the three after it
PERIODS = {
    "whole days": (MIDNIGHT - timedelta(days=2), MIDNIGHT + timedelta(days=2)),
    "one whole day": (MIDNIGHT, MIDNIGHT + timedelta(days=1)),
    "everything": (EARLY, LATE),
    "parts of days at both ends": hours(-36.25, 36.25),
    "a part at the beginning": hours(-12, 48),
    "a part at the end": hours(-48, 12),
    "a microsecond more at both ends": (MIDNIGHT - TINY, MIDNIGHT + timedelta(days=2) + TINY),
    "a microsecond less at both ends": (MIDNIGHT + TINY, MIDNIGHT + timedelta(days=2) - TINY),
    "within one day": hours(0.25, 23.75),
    "parts of two days and no whole one": hours(-12, 12),
    "one moment": (MIDNIGHT, MIDNIGHT + TINY),
    "nothing": (MIDNIGHT, MIDNIGHT),
    "backwards": hours(24, -24),
}
PERIOD = pytest.mark.parametrize("period", PERIODS)
FILTERED = ("parts of days at both ends", "a part at the end", "whole days", "a microsecond more at both ends",
            "within one day")  # fmt: skip


def filters_of(ids: dict[str, Any]) -> list[Filters]:
    """Every filter, every pair of filters, and some words that fit no call."""
    single = {
        "project": [ids["project"]], "key": [ids["key"], ids["spare"]], "model": ["gpt-4o-mini", "gpt-99", ""],
        "endpoint": ["/v1/chat/completions"], "status": ["error", "200"], "cost_status": ["priced", "in_doubt"],
        "end_user": ["u1", "u2", "nobody"], "tag": ["team=web"],
    }  # fmt: skip
    more = [{"tag": ["team"]}, {"tag": ["env", "team=ads"]}, {"tag": ["x=a=b"]}, {"tag": []}, {"end_user": ["u2"]},
            {"model": ["no-such"]}, {"project": ["x"]}, {"status": ["429"]}, {"cost_status": ["unpriced_model"]},
            {"tag": ["env"], "end_user": ["u1"], "status": ["200"]}, single,
            {"end_user": [""]}, {"end_user": ["", "u1"]}, {"not_end_user": ["u1"]}, {"not_end_user": [""]},
            {"tag": [""]}, {"not_tag": ["team"]}, {"not_tag": [""]}, {"tag": ["team"], "not_tag": ["team=web"]},
            {"not_project": [ids["project"]], "tag": ["team"]}, {"not_key": [ids["key"]], "end_user": ["u1", ""]},
            {"not_model": ["gpt-99"], "not_status": ["error"]}]  # fmt: skip
    pairs = [dict(pair) for pair in combinations(single.items(), 2)]
    return [{}, *({name: words} for name, words in single.items()), *pairs, *more]


@PERIOD
def test_every_group_of_every_two_words_has_the_sums_of_its_calls(busy: Busy, period: str) -> None:
    people, _, found = busy
    since, until = PERIODS[period]
    for words in ((), *((word,) for word in WORDS), *combinations(WORDS, 2), WORDS[:-1], WORDS):
        assert app_sums(people, since, until, words, {}) == added_up(found, since, until, words, {}), words


@pytest.mark.parametrize("period", some(FILTERED, 2))
def test_every_filter_and_every_two_of_them_leave_the_sums_of_the_calls_that_fit(busy: Busy, period: str) -> None:
    people, ids, found = busy
    since, until = PERIODS[period]
    for filters in filters_of(ids):
        for words in ((), ("day", "model"), ("end_user", "key"), ("tag",)):
            right = added_up(found, since, until, words, filters)
            assert app_sums(people, since, until, words, filters) == right, (filters, words)


@PERIOD
def test_a_week_has_the_sums_of_its_days(busy: Busy, period: str) -> None:
    people, _, _ = busy
    weeks: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for (day, *others), sums in app_sums(people, *PERIODS[period], ("day", "model"), {}).items():
        week = (day - timedelta(days=day.weekday()), *others)
        weeks[week] = tuple(map(sum, zip(weeks.get(week, (0,) * len(sums)), sums, strict=True)))
    assert app_sums(people, *PERIODS[period], ("week", "model"), {}) == weeks


@pytest.mark.parametrize("words", [(), ("day",), ("end_user",), ("tag",), ("status", "tag")])
def test_a_period_may_be_endless_at_either_end(busy: Busy, words: tuple[str, ...]) -> None:
    people, _, found = busy
    for filters in ({}, {"end_user": ["u1"]}, {"tag": ["team"]}):
        whole = added_up(found, *FOREVER, words, filters)
        assert app_sums(people, "-infinity", "infinity", words, filters) == whole
        for cut in (MIDNIGHT, DAY):
            before = added_up(found, FOREVER[0], cut, words, filters)
            after = added_up(found, cut, FOREVER[1], words, filters)
            assert app_sums(people, "-infinity", cut, words, filters) == before
            assert app_sums(people, cut, "infinity", words, filters) == after


@given(data=st.data(), cuts=st.lists(st.integers(-4 * 86_400, 4 * 86_400), max_size=3))
@examples(40)
def test_a_period_split_anywhere_has_the_sums_of_the_whole(busy: Busy, data: st.DataObject, cuts: list[int]) -> None:
    people, ids, _ = busy
    words = data.draw(st.sets(st.sampled_from(WORDS), max_size=3))
    filters = data.draw(st.sampled_from(filters_of(ids)))
    moments = [EARLY, *sorted(MIDNIGHT + timedelta(seconds=seconds) for seconds in cuts), LATE]
    parts: dict[Any, list[Any]] = {}
    for since, until in pairwise(moments):
        for group, numbers in app_sums(people, since, until, words, filters).items():
            parts[group] = [a + b for a, b in zip(parts.get(group, [0] * len(NUMBERS)), numbers, strict=True)]
    assert {group: tuple(sums) for group, sums in parts.items()} == app_sums(people, EARLY, LATE, words, filters)


@pytest.mark.parametrize("day", some(["2026-03-08", "2026-03-29", "2026-11-01", "2026-10-25"], 2))
def test_days_are_those_of_utc_also_where_clocks_are_changed(people: People, day: str) -> None:
    midnight = datetime.fromisoformat(f"{day}T00:00Z")
    for n in (-24, 24, 48):
        people.conn.execute("select app.ensure_partition(%s)", [(midnight + timedelta(hours=n)).date()])
    for half_hours in range(-24, 96):
        add_call(people, "ada", midnight + timedelta(minutes=30 * half_hours), cost=1)
    found = entries(people)
    for n in range(-24, 48):
        since = midnight + timedelta(minutes=30 * n + 1)
        for until in (midnight + timedelta(days=2), since + timedelta(days=1)):
            right = added_up(found, since, until, ["day"], {})
            for zone in ("America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata"):
                people.conn.execute("select set_config('timezone', %s, true)", [zone])
                assert app_sums(people, since, until, ["day"], {}) == right, (since, zone)


@pytest.mark.parametrize("part", [timedelta(0), timedelta(hours=1)])
def test_open_calls_and_those_in_doubt_are_counted_with_what_is_known_of_them(people: People, part: timedelta) -> None:
    labelled = {"end_user": "u1", "tags": {"team": "web"}}
    add_open_call(people, "ada", **labelled)
    add_open_call(people, "ada", deadline_at=days_ago(1), **labelled)
    period = (MIDNIGHT + part, MIDNIGHT + timedelta(days=1) - part)
    for word, value in (("model", "gpt-4o-mini"), ("end_user", "u1"), ("tag", "team=web"), ("service_tier", None)):
        ((group, numbers),) = app_sums(people, *period, [word], {}).items()
        assert group[WORDS.index(word)] == value
        row = dict(zip(NUMBERS, numbers, strict=True))
        assert (row["calls"], row["in_doubt_calls"], row["cost"], row["no_usage_calls"]) == (2, 1, 0, 0)


def test_a_call_of_this_very_moment_is_in_the_sums_of_today(people: People) -> None:
    people.call("ada")
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for since in (days_ago(1), tomorrow - timedelta(days=1)):
        ((_, numbers),) = app_sums(people, since, tomorrow, [], {}).items()
        assert numbers[0] == 1


def test_a_correction_is_where_it_was_booked_and_where_its_call_is(people: People) -> None:
    call = add_call(people, "ada", cost=1, end_user="u1", tags={"team": "web"}, model="gpt-5")
    adjust(people, call, Decimal("0.5"), DAY + timedelta(days=1))
    for words, filters in (((), {}), ((), {"end_user": ["u1"]}), ((), {"tag": ["team"]}), ((), {"status": ["200"]}),
                           (("end_user", "tag"), {"model": ["gpt-5"]})):  # fmt: skip
        for part in (timedelta(0), timedelta(hours=1)):
            first, second = ((MIDNIGHT + timedelta(days=n) + part, MIDNIGHT + timedelta(days=n + 1)) for n in (0, 1))
            ((_, before),) = app_sums(people, *first, words, filters).items()
            ((_, after),) = app_sums(people, *second, words, filters).items()
            assert before[0::4][:2] == (1, 1) and before[-2:] == (0, Decimal("1.5"))
            assert (after[0], after[4]) == (0, Decimal("0.5")) and after[-2:] == (Decimal("0.5"), 0)


def test_a_price_that_came_later_leaves_no_row_of_the_call_without_one(people: People) -> None:
    spent(people, model=None, model_requested="asked-for", outcome="pending", account="a", upstream_object_id="r1",
          endpoint="/v1/responses", at=days_ago(2))  # fmt: skip
    look = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}")
    people.settle_calls(people.settle_message("ada", look, account="a", upstream_object_id="r1", model="gpt-4o-mini"))
    day = days_ago(2).replace(hour=0, minute=0, second=0, microsecond=0)
    groups = app_sums(people, day, day + timedelta(days=1), ["model", "status"], {})
    assert [group[WORDS.index("model")] for group in groups] == ["gpt-4o-mini"]


def test_nothing_at_all_is_no_row(people: People) -> None:
    for words in ((), ("day",), ("end_user",), ("tag",)):
        assert app_sums(people, EARLY, LATE, words, {}) == {}


def test_dev_sees_what_ada_sees_eve_her_own_alone_and_a_stranger_nothing(busy: Busy) -> None:
    people, _, found = busy
    theirs = entries(people, "eve")
    people.sign_up("lone", "lone@nowhere.test")
    people.orgs["lone"] = None
    for words in ((), ("day", "key"), ("end_user",), ("tag",), ("status",)):
        for until in (LATE, DAY):
            assert app_sums(people, EARLY, until, words, {}, "dev") == added_up(found, EARLY, until, words, {})
            assert app_sums(people, EARLY, until, words, {}, "eve") == added_up(theirs, EARLY, until, words, {})
            assert app_sums(people, EARLY, until, words, {}, "lone") == {}
    with people.as_("nobody"):
        people.refused("42501", "select * from app.sums('-infinity', 'infinity', '{}', '{}', 'UTC', null, null)")


def test_words_of_a_filter_are_never_read_as_sql(people: People) -> None:
    nasty = """x' or true) -- $2 ')"""
    add_call(people, "ada", end_user=nasty, tags={nasty: nasty}, model=nasty)
    add_call(people, "ada")
    for filters in ({"end_user": [nasty]}, {"tag": [nasty]}, {"tag": [f"{nasty}={nasty}"]}, {"model": [nasty]}):
        for until in (LATE, LATE - timedelta(hours=1)):
            assert [numbers[0] for numbers in app_sums(people, EARLY, until, [], filters).values()] == [1]
    assert app_sums(people, EARLY, LATE, ["'; drop"], {"'; drop": ["x"]}).keys() == {(None,) * len(WORDS)}


@pytest.mark.parametrize("style", ["German", "SQL, DMY", "SQL, MDY", "Postgres, DMY"])
def test_the_sums_do_not_depend_on_how_a_session_writes_dates(busy: Busy, style: str) -> None:
    people, _, found = busy
    people.conn.execute(
        "select set_config('datestyle', %s, true), set_config('timezone', 'Asia/Kathmandu', true)", [style]
    )
    for since, until in (PERIODS["parts of days at both ends"], PERIODS["a microsecond less at both ends"]):
        for words in (("project",), ("tag",)):
            assert app_sums(people, since, until, words, {}) == added_up(found, since, until, words, {})
    people.conn.execute("reset datestyle")
    people.conn.execute("reset timezone")


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "sums") == {"authenticated"}
