"""app.price_groups: groups of dimensions as pricing asks for them."""

from __future__ import annotations

import psycopg
from checks import executors
from pricing import value

from webapp.written import SHARES

INPUT = {
    "input_text",
    "input_audio",
    "input_image",
    "cached_text",
    "cached_audio",
    "cached_image",
    "cache_write",
    "cache_write_12h",
}
OUTPUT = {"output_text", "output_audio", "output_image"}


def test_tokens_are_those_of_the_input_and_of_the_output(db: psycopg.Connection) -> None:
    groups = value(db, "app.price_groups()")
    assert set(groups["input"]) == INPUT
    assert set(groups["token"]) == INPUT | OUTPUT


def test_every_dimension_is_reported_either_by_the_usage_or_by_the_tools(db: psycopg.Connection) -> None:
    groups = value(db, "app.price_groups()")
    known = [row["dimension"] for row in db.execute("select dimension from app.price_dimensions()")]
    assert sorted(groups["usage"] + groups["tool"]) == sorted(known)
    assert {name for name in known if name.endswith("_calls")} < set(groups["tool"])
    assert set(groups["extra"]) == set(groups["tool"] + groups["share"])


def test_cached_and_written_text_falls_back_to_input_text_and_cached_sound_to_nothing(db: psycopg.Connection) -> None:
    fallback = value(db, "app.price_groups() -> 'fallback'")
    assert fallback["cached_text"] == fallback["cache_write"] == fallback["input_audio"] == "input_text"
    assert not {"input_text", "cached_audio", "cached_image", "images"} & fallback.keys()


def test_python_writes_the_same_dimensions_as_shares(db: psycopg.Connection) -> None:
    assert sorted(SHARES) == sorted(value(db, "app.price_groups() -> 'share'"))


def test_only_signed_in_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "price_groups") == {"authenticated"}
