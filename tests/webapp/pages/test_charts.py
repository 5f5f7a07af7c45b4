"""Figures: what is in the JSON that the charts are drawn from."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from plotly import graph_objects

from webapp.pages import charts

TODAY = date(2026, 11, 22)


def bars(days: int = 3, series: tuple[int | None, ...] = (1, 2, None), step: int = 1, cost: str = "1.5") -> list[dict]:
    """Rows as app.spend_bars answers them; the last bar is partial."""
    return [
        {
            "bar": TODAY - timedelta(days=step * back), "days": step, "partial": back == 0, "series": n, "calls": 1,
            "cost": Decimal(cost), "tokens_uncached": 5, "tokens_cached": 0, "tokens_out": 7,
        }
        for n in series for back in reversed(range(days))
    ]  # fmt: skip


def spend(rows: list[dict], names: dict[int, str]) -> dict[str, Any]:
    return json.loads(charts.spend(rows, names))


def test_series_are_stacked_in_the_order_of_the_table_and_other_comes_last() -> None:
    names = {0: "Other (3)", 2: "search", 1: "chat"}
    figure = spend(bars(series=(0, 1, 2, None)), names)
    assert [trace["name"] for trace in figure["data"]] == ["chat", "search", "Other (3)"]
    assert [trace["marker"]["color"] for trace in figure["data"]] == ["var(--s1)", "var(--s2)", "var(--s0)"]
    assert figure["layout"]["barmode"] == "stack"


def test_every_colour_is_a_variable_or_transparent() -> None:
    text = charts.spend(bars(), {1: "a", 2: "b"}) + charts.tokens(bars())
    colours = re.findall(r'"[a-z_]*color":"([^"]+)"', text)
    assert len(colours) > 10
    assert {colour for colour in colours if not colour.startswith("var(--")} == {"rgba(0,0,0,0)"}


def test_today_is_hatched_because_it_is_not_over() -> None:
    (trace,) = spend(bars(series=(1, None)), {1: "chat"})["data"]
    assert trace["marker"]["pattern"]["shape"] == ["", "", "/"]


def test_names_with_html_are_shown_and_not_read() -> None:
    (trace,) = spend(bars(series=(1, None)), {1: "<b>bold</b> & <a href='javascript:x'>" + "x" * 500})["data"]
    assert trace["name"].startswith("&lt;b&gt;bold&lt;/b&gt; &amp; &lt;a")
    assert "<" not in trace["name"] and len(trace["name"]) < 80


def test_the_json_cannot_end_the_script_element_it_stands_in() -> None:
    assert "</" not in charts.spend(bars(series=(1, None)), {1: "</script><script>alert(1)</script>"})


def test_a_day_without_spend_is_a_gap_and_not_a_line_in_the_hover_box() -> None:
    rows = bars(series=(1, None))
    rows[1]["cost"] = Decimal(0)
    assert spend(rows, {1: "chat"})["data"][0]["y"] == [1.5, None, 1.5]


def test_the_hover_box_shows_small_amounts() -> None:
    (trace,) = spend(bars(series=(1, None), cost="0.0000123"), {1: "chat"})["data"]
    assert trace["customdata"][0] == "$0.000012"


def test_weeks_have_wider_bars() -> None:
    day, week = (spend(bars(series=(1, None), step=step), {1: "c"})["data"][0]["width"] for step in (1, 7))
    assert week == 7 * day


def test_nothing_to_draw_is_no_figure() -> None:
    assert charts.spend([], {}) is None
    assert charts.tokens([]) is None


def test_tokens_are_three_kinds_in_three_fixed_colours() -> None:
    figure = json.loads(charts.tokens(bars()))
    assert [(trace["name"], trace["marker"]["color"]) for trace in figure["data"]] == [
        ("Input", "var(--s1)"), ("Cached input", "var(--s5)"), ("Output", "var(--s2)"),
    ]  # fmt: skip
    assert figure["data"][2]["y"] == [7, 7, 7]


def test_where_nothing_was_spent_or_used_there_is_no_figure() -> None:
    assert charts.spend(bars(cost="0"), {1: "a", 2: "b"}) is None
    rows = [row | {"tokens_uncached": 0, "tokens_out": 0} for row in bars()]
    assert charts.tokens(rows) is None


def test_the_axis_of_counts_has_whole_numbers_and_the_letters_of_the_tables() -> None:
    def axis(count: int) -> dict[str, Any]:
        rows = [row | {"good_calls": count, "error_calls": 0} for row in bars()]
        return json.loads(charts.calls(rows))["layout"]["yaxis"]

    assert axis(1)["dtick"] == 1 and "dtick" not in axis(5)
    assert axis(5)["exponentformat"] == "B"


def test_five_days_at_most_are_written_below_the_axis() -> None:
    for days in (1, 2, 7, 30, 31, 92):
        shown = spend(bars(days, (1, None)), {1: "c"})["layout"]["xaxis"]["tickvals"]
        assert 1 <= len(shown) <= 5


def figures() -> dict[str, str]:
    """One figure of each function."""
    rows = [row | {"good_calls": 3, "error_calls": 1} for row in bars()]
    months = [
        {"month": date(2026, n, 1), "calls": 1, "cost": Decimal(n), "partial": n == 11} for n in range(1, 12)
    ]  # fmt: skip
    found = {
        "spend": charts.spend(rows, {1: "a", 2: "b"}), "tokens": charts.tokens(rows), "calls": charts.calls(rows),
        "months": charts.months(months),
    }  # fmt: skip
    return {name: figure for name, figure in found.items() if figure}


def test_every_figure_is_one_that_plotly_knows_and_means_the_same_to_it() -> None:
    assert set(figures()) == {"spend", "tokens", "calls", "months"}
    for name, text in figures().items():
        figure = graph_objects.Figure(json.loads(text))  # raises ValueError for an unknown property or a wrong value
        assert json.loads(figure.to_json()) == json.loads(text), name


@pytest.mark.parametrize("wrong", [
    {"hovertemplat": "%{customdata}"}, {"marker": {"colour": "red"}}, {"width": "wide"}, {"type": "bars"},
])  # fmt: skip
def test_a_misspelt_property_or_impossible_value_of_a_series_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    right = charts._bars
    monkeypatch.setattr(charts, "_bars", lambda *words: right(*words) | wrong)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        charts.tokens(bars())


@pytest.mark.parametrize("wrong", [{"barmod": "stack"}, {"xaxis": {"tickformatt": "%d"}}, {"barmode": "pile"}])
def test_a_misspelt_property_or_impossible_value_of_a_layout_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    right = charts._layout
    monkeypatch.setattr(charts, "_layout", lambda *words: right(*words) | wrong)
    with pytest.raises(ValueError, match=r"barmod|tickformatt"):
        charts.tokens(bars())
