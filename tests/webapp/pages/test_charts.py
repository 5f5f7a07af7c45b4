"""Charts: what is in the JSON that they are drawn from, and the table of the same numbers."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from plotly import graph_objects

from webapp import written
from webapp.pages import charts
from webapp.pages.charts import Bars, Chart, Layer


def across(count: int = 3, hatched: tuple[int, ...] = ()) -> Bars:
    return Bars(
        [f"Sun {n + 1} Nov 2026" for n in range(count)], [f"{n + 1} Nov" for n in range(count)],
        [f"/?from={n + 1}" for n in range(count)], [n in hatched for n in range(count)],
    )  # fmt: skip


def total(values: list[Any]) -> Layer:
    return Layer("Total", "", values)


def spend(*values: str, name: str = "chat", hatched: tuple[int, ...] = ()) -> Chart | None:
    amounts = [Decimal(value) for value in values]
    return charts.bars(across(len(values), hatched), [Layer(name, "s1", amounts)], total(amounts), written.money, "$")


def figure(chart: Chart | None) -> dict[str, Any]:
    assert chart
    return json.loads(chart.figure)


def test_the_parts_are_stacked_in_their_order_with_their_colours() -> None:
    parts = [Layer("chat", "s3", [1, 2, 3]), Layer("search", "s1", [4, 5, 6]), Layer("Other", "s0", [0, 0, 1])]
    drawn = figure(charts.bars(across(), parts, total([5, 7, 10]), written.number))
    assert [trace["name"] for trace in drawn["data"]] == ["chat", "search", "Other"]
    assert [trace["marker"]["color"] for trace in drawn["data"]] == ["var(--s3)", "var(--s1)", "var(--s0)"]
    assert drawn["layout"]["barmode"] == "relative"


def test_the_table_has_a_row_for_every_bar_the_total_first_and_nothing_for_nothing() -> None:
    parts = [Layer("chat", "s3", [1, 0, 3]), Layer("search", "s1", [4, 5, None])]
    chart = charts.bars(across(hatched=(2,)), parts, total([5, 5, 3]), written.number)
    assert chart and chart.columns == [("Total", ""), ("chat", "s3"), ("search", "s1")]
    assert chart.rows == [
        ("Sun 1 Nov 2026", "/?from=1", False, ["5", "1", "4"]),
        ("Sun 2 Nov 2026", "/?from=2", False, ["5", "", "5"]),
        ("Sun 3 Nov 2026", "/?from=3", True, ["3", "3", ""]),
    ]


def test_sums_that_lack_calls_are_marked_also_where_nothing_is_known() -> None:
    parts = [Layer("chat", "s3", [1, 0, 0], lacking={0, 2}), Layer("search", "s1", [4, 5, None])]
    chart = charts.bars(across(), parts, Layer("Total", "", [5, 5, 0], lacking={0, 2}), written.number)
    assert chart and [cells for *_, cells in chart.rows] == [
        ["5 + ?", "1 + ?", "4"],
        ["5", "", "5"],
        ["0 + ?", "0 + ?", ""],
    ]


def test_every_colour_is_a_variable_or_transparent() -> None:
    lines = charts.lines(
        across(), [Layer("now", "all", [1, 2, 3]), Layer("before", "muted", [1, 1, 1])], written.number
    )
    text = spend("1", "2").figure + lines.figure  # type: ignore[union-attr]
    colours = re.findall(r'"[a-z_]*color":"([^"]+)"', text)
    assert len(colours) > 10
    assert {colour for colour in colours if not colour.startswith("var(--")} == {"rgba(0,0,0,0)"}


def test_bars_that_are_not_whole_are_hatched_and_a_part_can_be_as_a_whole() -> None:
    (trace,) = figure(spend("1", "1", "1", hatched=(0, 2)))["data"]
    assert trace["marker"]["pattern"]["shape"] == ["/", "", "/"]
    books = charts.bars(across(), [Layer("books", "s0", [1, 1, 1], hatched=True)], total([0, 0, 0]), written.number)
    assert figure(books)["data"][0]["marker"]["pattern"]["shape"] == "/"


def test_names_with_html_are_shown_and_not_read() -> None:
    (trace,) = figure(spend("1", name="<b>bold</b> & <a href='javascript:x'>" + "x" * 500))["data"]
    assert trace["name"].startswith("&lt;b&gt;bold&lt;/b&gt; &amp; &lt;a")
    assert "<" not in trace["name"] and len(trace["name"]) < 80


def test_the_json_cannot_end_the_script_element_it_stands_in() -> None:
    chart = spend("1", name="</script><script>alert(1)</script>")
    assert chart and "</" not in chart.figure


def test_nothing_to_draw_is_no_chart() -> None:
    assert spend("0", "0") is None
    assert charts.bars(across(0), [], total([]), written.number) is None
    assert charts.lines(across(2), [Layer("now", "all", [0, 0])], written.number) is None


@pytest.mark.parametrize(("values", "unit", "axis"), [
    (["165"], "$", [0, 200]), (["200"], "$", [0, 200]), (["201"], "$", [0, 300]), (["0.03"], "$", [0, 0.03]),
    (["0.0000123"], "$", [0, 0.000015]), (["-3", "10"], "$", [-5, 10]), (["1"], "", [0, 1]), (["7"], "", [0, 8]),
    (["-0.05", "13"], "$", [-0.05, 15]), (["24100000"], "", [0, 30_000_000]),
])  # fmt: skip
def test_the_axis_ends_at_a_tick_not_below_the_highest_bar(values: list[str], unit: str, axis: list[float]) -> None:
    amounts = [Decimal(value) for value in values]
    drawn = figure(
        charts.bars(across(len(values)), [Layer("chat", "s1", amounts)], total(amounts), written.number, unit)
    )
    scale = drawn["layout"]["yaxis"]
    assert scale["range"] == pytest.approx(axis)
    assert (scale["range"][1] - scale["range"][0]) / scale["dtick"] <= 5


def test_ticks_of_dollars_have_the_decimals_they_need_and_those_of_counts_the_letters_of_the_tables() -> None:
    def formats(value: str) -> str:
        return figure(spend(value))["layout"]["yaxis"]["tickformat"]

    assert [formats("165"), formats("1.5"), formats("0.04"), formats("0.003")] == ["$,.0f", "$,.2f", "$,.2f", "$,.3f"]
    counts = figure(charts.bars(across(1), [Layer("calls", "s1", [5])], total([5]), written.number))["layout"]["yaxis"]
    assert counts["exponentformat"] == "B"


def test_five_bars_at_most_are_named_below_the_axis_and_the_last_always() -> None:
    for count in (1, 2, 7, 30, 31, 92):
        shown = figure(spend(*["1"] * count))["layout"]["xaxis"]
        assert 1 <= len(shown["tickvals"]) <= 5
        assert (shown["tickvals"][-1], shown["ticktext"][-1]) == (count - 1, f"{count} Nov")


def test_lines_are_drawn_to_where_they_are_known_and_all_but_the_first_are_dashed() -> None:
    parts = [Layer("now", "all", [Decimal(1), None]), Layer("before", "muted", [Decimal(2), Decimal(3)])]
    drawn = figure(charts.lines(across(2), parts, written.money, "$"))
    assert [trace["y"] for trace in drawn["data"]] == [[1, None], [2, 3]]
    assert [trace["line"]["dash"] for trace in drawn["data"]] == ["solid", "dot"]


def test_every_chart_is_one_that_plotly_knows_and_means_the_same_to_it() -> None:
    share = charts.bars(across(), [Layer("a", "s1", [1, 2, 3])], total([2, 3, 4]), written.number, "%")
    lines = charts.lines(across(), [Layer("now", "all", [1, 2, 3])], written.number)
    for chart in (spend("1", "2"), share, lines):
        drawn = graph_objects.Figure(figure(chart))  # raises ValueError for an unknown property or a wrong value
        assert json.loads(drawn.to_json()) == figure(chart)


@pytest.mark.parametrize("wrong", [
    {"hovertemplat": "%{customdata}"}, {"marker": {"colour": "red"}}, {"width": "wide"}, {"type": "bars"},
])  # fmt: skip
def test_a_misspelt_property_or_impossible_value_of_a_part_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    right = charts._bar
    monkeypatch.setattr(charts, "_bar", lambda *words: right(*words) | wrong)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        spend("1")


@pytest.mark.parametrize("wrong", [{"barmod": "stack"}, {"xaxis": {"tickformatt": "%d"}}, {"barmode": "pile"}])
def test_a_misspelt_property_or_impossible_value_of_a_layout_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    right = charts._layout
    monkeypatch.setattr(charts, "_layout", lambda *words: right(*words) | wrong)
    with pytest.raises(ValueError, match=r"barmod|tickformatt"):
        spend("1")
