"""Rows of app.spend_bars and app.spend_months → plotly figures as JSON.

plotly's graph_objects check every property and value of a figure, so that a misspelt one is a ValueError here and not
a chart that silently looks wrong, and write it as the JSON that plotly.js draws. Amounts are exact in the hover
texts. The heights of bars are only drawn, so JSON's floats are exact enough for them.

Colours are CSS variables only: static/charts.js resolves them, so one figure serves light and dark. plotly is imported
on first use, because importing it is slow and the gateway's workers need it for charts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from html import escape
from typing import Any

from webapp import written

HEIGHT = 280
DAY_MS = 86_400_000
LEAST_BARS = 9  # with fewer, the axis is widened
CALLS = (("good_calls", "Answered", 1), ("error_calls", "Errors", 4))
TOKENS = (("tokens_uncached", "Input", 1), ("tokens_cached", "Cached input", 5), ("tokens_out", "Output", 2))
WAYS = (("through", "Through SpendAI", 1), ("outside", "Other keys", 2), ("surface", "Without a key", 4))
Row = Mapping[str, Any]


def _label(name: str) -> str:
    """A name escaped for plotly, which interprets some HTML tags, and short enough for a hover box."""
    return escape(name if len(name) <= 40 else name[:39] + "…", quote=False)


def _bars(rows: Sequence[Row], column: str, name: str, colour: int, words: Callable[[Any], str]) -> dict[str, Any]:
    """One stacked series. Zeros become gaps, so the hover box does not list them; a partial day is hatched."""
    shapes = ["/" if row["partial"] else "" for row in rows]
    return {
        "type": "bar",
        "name": _label(name),
        "x0": rows[0]["bar"],
        "dx": DAY_MS * rows[0]["days"],
        "y": [row[column] or None for row in rows],
        "width": 0.76 * DAY_MS * rows[0]["days"],
        "customdata": [words(row[column]) for row in rows],
        "hovertemplate": "%{customdata}",
        "marker": {
            "color": f"var(--s{colour})",
            "line": {"color": "var(--surface)", "width": 1},
            "pattern": {
                "shape": shapes,
                "fillmode": "overlay",
                "fgcolor": "var(--surface)",
                "size": 5,
                "solidity": 0.3,
            },
        },
    }


def _ticks(days: Sequence[date]) -> list[date]:
    """The days to label below the axis: at most five, at equal distances."""
    step = -(-len(days) // 5)
    return list(days[::step])


def _layout(rows: Sequence[Row], axis: dict[str, Any]) -> dict[str, Any]:
    days = sorted({row["bar"] for row in rows})
    step = timedelta(days=rows[0]["days"])
    first, last = (datetime.combine(day, time()) for day in (days[0], days[-1]))
    around = max(LEAST_BARS - len(days), 0) * step / 2  # else one bar alone would fill the chart
    form = "%b %d" if days[0].year == days[-1].year else "%b %d, %Y"
    lines = {"gridcolor": "var(--line)", "zerolinecolor": "var(--line)", "linecolor": "var(--line)", "fixedrange": True}
    return {
        "template": "none",
        "barmode": "stack",
        "height": HEIGHT,
        "margin": {"l": 56, "r": 8, "t": 12, "b": 28},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x unified",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "var(--muted)"},
        "hoverlabel": {"bgcolor": "var(--surface)", "bordercolor": "var(--line)", "font": {"color": "var(--text)"}},
        "xaxis": lines
        | {
            "type": "date",
            "showgrid": False,
            "tickvals": _ticks(days),
            "tickformat": form,
            "hoverformat": "%a %d %b %Y" if step.days == 1 else "week of %d %b %Y",
            "range": [first - step / 2 - around, last + step / 2 + around],
        },
        "yaxis": lines | {"nticks": 5, "rangemode": "tozero", "automargin": True} | axis,
    }


def _figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> str:
    """The figure as JSON. ValueError for a property that plotly does not know or a value it does not take."""
    from plotly import graph_objects  # noqa: PLC0415  # slow to import

    return graph_objects.Figure(data=data, layout=layout).to_json()


def spend(bars: Sequence[Row], names: Mapping[int, str], history: Mapping[date, Decimal] | None = None) -> str | None:
    """Stacked spend per day; names: series → its name. Series 1, the biggest, is drawn first and lies at the bottom.

    history: bar → dollars of OpenAI's books from before the first call (app.books_history), hatched.
    """
    series = [n for n in (1, 2, 3, 4, 5, 6, 0) if n in names]
    rows = {n: [row for row in bars if row["series"] == n] for n in series}
    whole = [row for row in bars if row["series"] is None]
    before = [row | {"partial": True, "cost": (history or {}).get(row["bar"])} for row in map(dict, whole)]
    if not any(row["cost"] for row in [*bars, *before]):
        return None
    data = [_bars(rows[n], "cost", names[n], n, written.money) for n in series if rows[n]]
    if history:
        data.append(_bars(before, "cost", "Before SpendAI, from OpenAI's books", 0, written.money))
    return _figure(data, _layout(whole, _dollars(max(abs(row["cost"] or 0) for row in [*whole, *before]))))


def tokens(bars: Sequence[Row]) -> str | None:
    """Stacked tokens per day: uncached input, cached input, output."""
    return _kinds(bars, TOKENS, written.tokens)


def calls(bars: Sequence[Row]) -> str | None:
    """Stacked calls per day: answered ones and errors."""
    return _kinds(bars, CALLS, written.number)


def _kinds(bars: Sequence[Row], kinds: Sequence[tuple[str, str, int]], words: Callable[[Any], str]) -> str | None:
    """Stacked parts of each bar's total (the rows without a series). kinds: (column, name, number of the colour)."""
    whole = [row for row in bars if row["series"] is None]
    highest = max((sum(row[column] for column, *_ in kinds) for row in whole), default=0)
    if not highest:
        return None
    data = [_bars(whole, column, name, colour, words) for column, name, colour in kinds]
    # B and not G for 10⁹, as in the tables; no ticks between whole calls.
    axis = {"exponentformat": "B", "separatethousands": True} | ({"dtick": 1} if highest < 5 else {})
    return _figure(data, _layout(whole, axis))


def months(rows: Sequence[Row]) -> str | None:
    """Spend per month; the current month is hatched."""
    if not rows:
        return None
    shown = [row | {"bar": row["month"], "days": 30} for row in rows]
    bars = _bars(shown, "cost", "Spend", 1, written.money)
    del bars["x0"], bars["dx"], bars["width"]
    bars["x"] = [f"{row['month']:%b %Y}" for row in rows]
    layout = _layout(shown, _dollars(max(abs(row["cost"]) for row in rows)))
    ends = {"tickvals": bars["x"][:: -(-len(rows) // 6)], "range": [-0.5, len(rows) - 0.5]}
    layout["xaxis"] |= ends | {"type": "category"}
    return _figure([bars | {"width": 0.6}], layout)


def through(rows: Sequence[Row]) -> str | None:
    """Each day's bill at OpenAI in percent: through SpendAI, with other keys, without a key. rows: app.books_share."""
    known = {row["day"]: row for row in rows}
    if not any(row["openai"] for row in rows):
        return None
    first, last = min(known), max(known)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    nothing = dict.fromkeys((column for column, *_ in WAYS), None)
    shown = [{"bar": day, "days": 1, "partial": False} | nothing | dict(known.get(day, {})) for day in every]
    data = [_bars(shown, column, name, colour, written.money) for column, name, colour in WAYS]
    axis = {"ticksuffix": "%", "range": [0, 100]}
    return _figure(data, _layout(shown, axis) | {"barnorm": "percent"})


def _dollars(highest: Decimal) -> dict[str, str]:
    """Tick labels of an axis up to this many dollars: a d3 format with as few decimals as possible."""
    if highest == 0 or highest >= 4:
        tick = ",.0f"
    else:
        tick = ",.2f" if highest >= Decimal("0.04") else f",.{2 - highest.adjusted()}~f"
    return {"tickprefix": "$", "tickformat": tick}
