"""app.price_history: every price of a model, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from checks import executors
from people import People
from pricing import add_price

HISTORY = "select * from app.price_history(%s) where dimension = 'input_text' and service_tier = 'standard'"


def history(people: People, who: str, model: str = "gpt-4o") -> list[tuple[object, ...]]:
    with people.as_(who):
        return [(r["unit_price"], r["revision"], r["own"], r["in_force"]) for r in people.all(HISTORY, model)]


def test_all_rows_are_there_newest_first_with_the_one_in_force_marked(people: People) -> None:
    now = datetime.now(UTC)
    for price, days, more in (
        ("2", 10, {}), ("3", 10, {"revision": 2}), ("4", -10, {}), ("1", 5, {"org_id": people.orgs["ada"]}),
    ):  # fmt: skip
        add_price(people.conn, "gpt-4o", "input_text", price, valid_from=now - timedelta(days=days), **more)
    listed = Decimal("2.5")
    assert history(people, "dev") == [
        (4, 1, False, False), (1, 1, True, True), (3, 2, False, False), (2, 1, False, False), (listed, 1, False, False),
    ]  # fmt: skip
    assert history(people, "eve") == [
        (4, 1, False, False), (3, 2, False, True), (2, 1, False, False), (listed, 1, False, False),
    ]  # fmt: skip


def test_a_model_is_found_by_any_of_its_names(people: People) -> None:
    assert history(people, "ada", "openai/gpt-4o-2024-11-20") == history(people, "ada") != []
    assert history(people, "ada", "unheard-of") == []


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "price_history") == {"authenticated"}
