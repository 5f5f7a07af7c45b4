"""app.price_dimensions."""

from __future__ import annotations

from checks import executors
from people import People


def test_every_dimension_of_the_list_can_have_a_price_of_ones_own(people: People) -> None:
    unknown = "select distinct dimension from public.model_prices where dimension <> all (app.price_dimensions())"
    assert people.all(unknown) == []
    assert executors(people.conn, "price_dimensions") == {"authenticated"}
