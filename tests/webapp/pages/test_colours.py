"""The colours of a breakdown's rows."""

from __future__ import annotations

from webapp.pages import colours


def test_a_colour_belongs_to_what_it_stands_for_and_not_to_its_place_in_the_table() -> None:
    numbers = {"chat": 3, "search": 1, "docs": 7}
    assert colours.chosen(["chat", "search", "docs"], numbers) == {"chat": 3, "search": 1, "docs": 7}
    assert colours.chosen(["docs", "chat"], numbers) == {"docs": 7, "chat": 3}


def test_no_two_in_one_chart_have_the_same_colour_and_the_older_one_keeps_its_own() -> None:
    numbers = {"old": 2, "new": 2 + colours.COUNT, "next": 3}
    for ids in (["old", "new", "next"], ["new", "next", "old"]):
        found = colours.chosen(ids, numbers)
        assert (found["old"], found["next"]) == (2, 3)
        assert len(set(found.values())) == 3


def test_names_without_a_number_keep_their_colour_whatever_their_order_and_nothing_is_grey() -> None:
    first, second = colours.chosen(["web", "", "ios"], {}), colours.chosen(["ios", "web"], {})
    assert first[""] == 0 and first["web"] == second["web"] and first["ios"] == second["ios"]
    assert set(colours.chosen([f"user-{n}" for n in range(colours.COUNT)], {}).values()) == {*range(1, 11)}
