"""Totals and labels of days and hours equal the sums of the calls, whatever happens to calls, in any order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import examples
from hypothesis import given
from hypothesis import strategies as st
from ledgers import adjust
from people import People
from pricing import add_price
from psycopg.types.json import Json
from spending import another_key, days_ago, uuid7
from totals import OPEN, all_is_well

USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 300}}
PLACE = st.integers(0, 9)  # picks one of the calls made so far: this number modulo how many there are
DAYS = st.integers(0, 3)
MODELS = st.sampled_from(("gpt-4o-mini", "gpt-98", "gpt-99", None))
USERS = st.sampled_from((None, "u1", "u2"))
TAGS = st.sampled_from(({}, {"team": "web"}, {"team": "web", "env": "live"}, {"team": "ads"}))
WHO = st.sampled_from(("ada", "ada", "other", "eve"))
COST = st.none() | st.decimals(0, 5, places=12)
ENDS = st.sampled_from(
    (
        {},
        {"status_code": 429, "outcome": "error", "usage": None},
        {"outcome": "no_usage", "usage": None},
        {"status_code": None, "outcome": "no_usage", "usage": None, "service_tier": None, "latency_ms": None},
        {"service_tier": "flex"},
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 7,
                "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 1},
            }
        },
        {"outcome": "pending", "usage": None, "model": None},
    )
)
MESSAGE = st.tuples(WHO, DAYS, MODELS, USERS, TAGS)
STEP = st.one_of(
    st.tuples(st.just("open"), MESSAGE),
    st.tuples(st.just("settle"), st.lists(st.tuples(PLACE, ENDS), min_size=1, max_size=5)),  # a call may be in twice
    st.tuples(st.just("late"), MESSAGE, ENDS),
    st.tuples(st.just("look"), PLACE),
    st.tuples(st.just("close"), PLACE, COST),
    st.tuples(st.just("price"), st.sampled_from(("gpt-4o-mini", "gpt-98", "gpt-99")), st.integers(0, 10**6)),
    st.tuples(st.just("correct"), PLACE, st.decimals(-5, 5, places=12), DAYS),
)


class Story:
    """Does one step after the other; remembers which calls it opened."""

    def __init__(self, people: People) -> None:
        self.people, self.calls, self.revision = people, [], 1
        self.ids = {name: (people.projects[name], people.keys[name].id) for name in ("ada", "eve")}
        self.ids["other"] = another_key(people, "search")

    def message(self, words: Any) -> dict[str, Any]:
        """A settle message with these words."""
        who, days, model, user, tags = words
        at = days_ago(days).replace(microsecond=0)
        opened = self.people.open_message(
            "ada", id=str(uuid7(at)), started_at=at.isoformat(), model=model, end_user=user, tags=tags,
            endpoint="/v1/responses",
        )  # fmt: skip
        project, key = self.ids[who]
        org = self.people.orgs["eve" if who == "eve" else "ada"]
        self.people.conn.execute("select app.ensure_partition(%s)", [at.date()])
        self.calls.append(
            self.people.settle_message(
                "ada", opened, model=model, org_id=str(org), project_id=str(project), api_key_id=str(key),
                account="install", usage=USAGE, upstream_object_id=f"resp_{len(self.calls)}",
            )
        )  # fmt: skip
        return self.calls[-1]

    def call(self, place: int) -> dict[str, Any] | None:
        return self.calls[place % len(self.calls)] if self.calls else None

    def open(self, words: Any) -> None:
        message = self.message(words)
        self.people.conn.execute(OPEN, [Json([message])])

    def settle(self, batch: list[tuple[int, dict[str, Any]]]) -> None:
        if self.calls:
            self.people.settle_calls(*(self.call(place) | end for place, end in batch))

    def late(self, words: Any, end: dict[str, Any]) -> None:
        self.people.settle_calls(self.message(words) | end)

    def look(self, place: int) -> None:
        """A client GETs the object that a call made, twice."""
        if call := self.call(place):
            seen = {"method": "GET", "endpoint": "/v1/responses/{response_id}", "model": "gpt-4o-mini"}
            for _ in range(2):
                self.people.settle_calls(call | self.people.now_id() | seen)

    def close(self, place: int, cost: Decimal | None) -> None:
        if call := self.call(place):
            try:
                with self.people.conn.transaction():
                    self.people.one("select app.call_end(null, %s, %s, 'by hand')", call["id"], cost)
            except psycopg.Error as error:
                # Never opened, or its cost is known; without a cost only a call in doubt can be closed.
                assert error.sqlstate in {"PT404", "PT409"} | ({"PT400"} if cost is None else set())

    def price(self, model: str, dollars: int) -> None:
        """Add two prices, then price all calls again."""
        self.revision += 1
        for dimension, price in (("input_text", dollars), ("output_text", dollars * 3)):
            unit_price = str(Decimal(price).scaleb(-4))
            add_price(self.people.conn, model, dimension, unit_price, revision=self.revision)
        self.people.conn.execute("select app.reprice(%s, %s, 'a test', false)", [days_ago(60), days_ago(-1)])

    def correct(self, place: int, delta: Decimal, days: int) -> None:
        call = self.call(place)
        known = "select from public.usage_logs where id = %s and cost is not null"
        if call and self.people.one(known, call["id"]) is not None:
            adjust(self.people, call["id"], delta, days_ago(days))


@given(steps=st.lists(STEP, min_size=1, max_size=12))
@examples(60)
def test_whatever_happens_to_calls_the_sums_kept_are_theirs(people: People, steps: list[tuple[Any, ...]]) -> None:
    with people.conn.transaction(force_rollback=True):
        story = Story(people)
        for name, *words in steps:
            getattr(story, name)(*words)
        all_is_well(people)


@pytest.mark.parametrize("break_it", [
    "alter table public.usage_logs disable trigger totals_follow_insert",
    "alter table public.usage_logs disable trigger totals_follow_update",
    "alter table public.cost_adjustments disable trigger totals_follow",
    "delete from public.daily_totals", "delete from public.daily_labels where kind = 'tag'",
    "delete from public.hourly_totals", "delete from public.hourly_labels where kind = 'tag'",
])  # fmt: skip
def test_a_story_that_went_wrong_would_be_noticed(people: People, break_it: str) -> None:
    story = Story(people)
    words = ("ada", 1, "gpt-4o-mini", "u1", {"team": "web"})
    people.conn.execute(break_it if break_it.startswith("alter") else "select")
    story.open(words)
    story.settle([(0, {})])
    if "insert" in break_it:
        people.conn.execute(
            "insert into public.usage_logs select (jsonb_populate_record(u, %s::jsonb)).* from public.usage_logs u",
            [f'{{"id": "{uuid7(days_ago(1))}"}}'],
        )
    story.correct(0, Decimal(1), 0)
    people.conn.execute("select" if break_it.startswith("alter") else break_it)
    with pytest.raises(AssertionError):
        all_is_well(people)
