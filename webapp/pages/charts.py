"""Charts: a plotly figure as JSON and, for each chart, the table of the same numbers.

plotly's graph_objects check every property and value of a figure, so that a misspelt one is a ValueError here and not
a chart that silently looks wrong, and write it as the JSON that plotly.js draws. The heights of bars are only drawn,
so JSON's floats are exact enough for them. The words are in the table, from which static/charts.js also makes the box
that it shows beside a bar and the link that it follows when one is clicked.

Colours are CSS variables only: static/charts.js resolves them, so one figure serves light and dark. plotly is imported
on first use, because importing it is slow and the gateway's workers need it for charts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape
from typing import Any

from webapp.pages.measures import MARK

LEAST_BARS = 9  # with fewer, the axis is widened
LABELS = 5  # at most, below the axis
TICKS = 4  # parts into which the axis of amounts is divided at most
Value = int | Decimal | None


@dataclass(frozen=True)
class Bars:
    """What the bars of a chart stand for: one entry per bar in each list."""

    heads: Sequence[str]  # its name in the table: Tue 10 Nov 2026
    ticks: Sequence[str]  # its name below the axis: 10 Nov
    links: Sequence[str | None]  # address that opens the bar
    hatched: Sequence[bool]


@dataclass(frozen=True)
class Layer:
    """One colour of a chart. colour: name of its CSS variable without the dashes, and of its class: s3.

    hatched: whether all of it is, not only the bars that are. lacking: places of the sums that lack calls of unknown
    cost, which the table marks.
    """

    name: str
    colour: str
    values: Sequence[Value]
    hatched: bool = False
    lacking: Collection[int] = ()


@dataclass(frozen=True)
class Chart:
    """A figure, and the table of its numbers: columns as (name, colour or ""), rows as (head, link, hatched, cells)."""

    figure: str
    columns: list[tuple[str, str]]
    rows: list[tuple[str, str | None, bool, list[str]]]


def bars(
    across: Bars, parts: Sequence[Layer], whole: Layer | None, words: Callable[[Any], str], unit: str = ""
) -> Chart | None:
    """Stacked bars, the first part at the bottom; None where every value is 0 or None.

    whole: the sum of each bar, for the first column of the table; None: the parts have no sum. unit: "$", "%" (each bar
    is drawn as 100 %) or "" for counts.
    """
    if not any(value for part in parts for value in part.values):
        return None
    columns = [*zip(*(part.values for part in parts), strict=True)]
    high = max(sum((v for v in column if v and v > 0), Decimal(0)) for column in columns)
    low = min(sum((v for v in column if v and v < 0), Decimal(0)) for column in columns)
    layout = _layout(across, _axis(low, high, unit))
    if unit == "%":
        layout |= {"barnorm": "percent"}
    return Chart(_figure([_bar(part, across.hatched) for part in parts], layout), *_table(across, parts, whole, words))


def lines(across: Bars, parts: Sequence[Layer], words: Callable[[Any], str], unit: str = "") -> Chart | None:
    """Lines, all but the first one dashed; a value of None ends a line."""
    known = [value for part in parts for value in part.values if value is not None]
    if not any(known):
        return None
    data = [
        {
            "type": "scatter", "mode": "lines", "name": _label(part.name), "x0": 0, "dx": 1, "hoverinfo": "none",
            "y": list(part.values),
            "line": {"color": f"var(--{part.colour})", "width": 2, "dash": "dot" if number else "solid"},
        }
        for number, part in enumerate(parts)
    ]  # fmt: skip
    axis = _axis(min(Decimal(0), *known), max(Decimal(0), *known), unit)
    return Chart(_figure(data, _layout(across, axis)), *_table(across, parts, None, words))


def _label(name: str) -> str:
    """A name escaped for plotly, which interprets some HTML tags."""
    return escape(name if len(name) <= 40 else name[:39] + "…", quote=False)


def _bar(part: Layer, hatched: Sequence[bool]) -> dict[str, Any]:
    """One stacked series. Zeros become gaps."""
    shape = "/" if part.hatched else ["/" if one else "" for one in hatched] if any(hatched) else ""
    return {
        "type": "bar",
        "name": _label(part.name),
        "x0": 0,
        "dx": 1,
        "y": [value or None for value in part.values],
        "width": 0.76,
        "hoverinfo": "none",
        "marker": {
            "color": f"var(--{part.colour})",
            "line": {"color": "var(--surface)", "width": 1},
            "pattern": {
                "shape": shape,
                "fillmode": "overlay",
                "fgcolor": "var(--surface)",
                "size": 5,
                "solidity": 0.3,
            },
        },
    }


def _table(
    across: Bars, parts: Sequence[Layer], whole: Layer | None, words: Callable[[Any], str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str | None, bool, list[str]]]]:
    """Columns and rows of the Chart: the whole first, then the parts; an empty cell for nothing."""
    first = [whole] if whole else []

    def cell(part: Layer, n: int) -> str:
        return words(part.values[n]) + (MARK if n in part.lacking else "")

    rows = []
    for n, head in enumerate(across.heads):
        cells = [cell(one, n) for one in first]
        cells += [cell(part, n) if part.values[n] or n in part.lacking else "" for part in parts]
        rows.append((head, across.links[n], across.hatched[n], cells))
    return [(one.name, one.colour) for one in (*first, *parts)], rows


def _ticks(count: int) -> list[int]:
    """The bars to label below the axis, at equal distances; the last one is always among them."""
    step = -(-count // LABELS)
    return list(range(count - 1, -1, -step))[::-1]


def _axis(low: Decimal | int, high: Decimal | int, unit: str) -> dict[str, Any]:
    """The axis of amounts: from a tick at or below the lowest to one at or above the highest; zero is one of them.

    It begins at the lowest itself where that is just below zero: a small correction leaves no empty strip.
    """
    if unit == "%":
        return {"range": [0, 100], "dtick": 25, "ticksuffix": "%"}
    part = Decimal(high - low) / TICKS
    size = Decimal(1).scaleb(part.adjusted())
    step = next(n * size for n in (1, 2, 5, 10) if n * size >= part)
    if not unit:
        step = max(step, Decimal(1))
    first, last = (
        (Decimal(edge) / step).to_integral_value(rounding) * step
        for edge, rounding in ((low, ROUND_FLOOR), (high, ROUND_CEILING))
    )
    if -step / 4 < low < 0:
        first = Decimal(low)
    axis = {"range": [float(first), float(last)], "dtick": float(step), "tick0": 0}
    if unit:
        places = max(0, -step.normalize().adjusted())
        return axis | {"tickformat": f"{unit},.{max(places, 2) if places else 0}f"}  # which writes −$5, a prefix $−5
    return axis | {"exponentformat": "B", "separatethousands": True}  # B and not G for 10⁹, as in the tables


def _layout(across: Bars, axis: dict[str, Any]) -> dict[str, Any]:
    count = len(across.heads)
    around = max(LEAST_BARS - count, 0) / 2 + 0.5  # else one bar alone would fill the chart
    lines = {"gridcolor": "var(--line)", "zerolinecolor": "var(--line)", "linecolor": "var(--line)", "fixedrange": True}
    labelled = _ticks(count)
    return {
        "template": "none",
        "barmode": "relative",  # amounts below zero, which corrections can make, hang below the axis
        "margin": {"l": 56, "r": 24, "t": 12, "b": 28},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "var(--muted)"},
        "xaxis": lines
        | {
            "type": "linear",
            "showgrid": False,
            "zeroline": False,
            "tickvals": labelled,
            "ticktext": [across.ticks[n] for n in labelled],
            "tickangle": 0,
            "range": [-around, count - 1 + around],
        },
        "yaxis": lines | {"automargin": True} | axis,
    }


def _figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> str:
    """The figure as JSON. ValueError for a property that plotly does not know or a value it does not take."""
    from plotly import graph_objects  # noqa: PLC0415  # slow to import

    return graph_objects.Figure(data=data, layout=layout).to_json()
