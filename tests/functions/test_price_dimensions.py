"""app.price_dimensions: the one list of what calls are billed by."""

from __future__ import annotations

from checks import executors
from people import People

from webapp.commands import price_genai, price_litellm

DIMENSIONS = "select dimension from app.price_dimensions()"


def test_no_listed_price_has_a_dimension_that_the_list_does_not_name(people: People) -> None:
    unknown = f"select distinct dimension from public.model_prices where dimension not in ({DIMENSIONS})"
    assert people.all(unknown) == []
    assert executors(people.conn, "price_dimensions") == {"authenticated"}


def test_each_stands_there_once_and_is_of_a_kind_that_the_header_explains(people: People) -> None:
    rows = people.all("select * from app.price_dimensions()")
    assert len({row["dimension"] for row in rows}) == len(rows)
    assert {row["kind"] for row in rows} == {"input", "output", "unit", "tool", "share", "request"}


def test_a_fallback_is_a_dimension_of_the_same_kind(people: People) -> None:
    kinds = {row["dimension"]: row["kind"] for row in people.all("select * from app.price_dimensions()")}
    for row in people.all("select * from app.price_dimensions() where fallback is not null"):
        assert kinds[row["fallback"]] == row["kind"] and row["fallback"] != row["dimension"], row


def test_the_price_source_is_translated_into_these_dimensions_only(people: People) -> None:
    assert {dimension for dimension, _ in [*price_genai.UNITS.values(), *price_litellm.UNITS.values()]} <= {
        row["dimension"] for row in people.all(DIMENSIONS)
    }
