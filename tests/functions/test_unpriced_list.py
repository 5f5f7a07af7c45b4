"""app.unpriced_list: models without a known price, the most called first."""

from __future__ import annotations

import pytest
from checks import executors
from ledgers import add_call
from people import People

LIST = "select * from app.unpriced_list(%s)"


@pytest.fixture
def gaps(people: People) -> People:
    for model, count in (("gpt-98", 1), ("GPT-99", 2), (None, 3)):
        for _ in range(count):
            add_call(
                people, "ada", model=model, model_requested=model, cost=None, cost_status="unpriced_model", tokens_in=5
            )
    add_call(people, "eve", model="gpt-97", cost=None, cost_status="unpriced_model")
    return people


@pytest.mark.parametrize(("words", "models"), [
    (None, [None, "GPT-99", "gpt-98"]), ("", [None, "GPT-99", "gpt-98"]), (" gpt ", ["GPT-99", "gpt-98"]),
    ("Gpt-9", ["GPT-99", "gpt-98"]), ("99", ["GPT-99"]), ("%", []), ("gpt-97", []),
])  # fmt: skip
def test_it_finds_by_a_part_of_the_name_the_most_called_first(
    gaps: People, words: str | None, models: list[str | None]
) -> None:
    with gaps.as_("dev"):
        assert [row["model"] for row in gaps.all(LIST, words)] == models


def test_it_is_the_askers_own_alone(gaps: People) -> None:
    with gaps.as_("eve"):
        assert [(row["model"], row["calls"]) for row in gaps.all(LIST, "")] == [("gpt-97", 1)]
    with gaps.as_("nobody"):
        gaps.refused("42501", LIST, "")
    assert executors(gaps.conn, "unpriced_list") == {"authenticated"}
