"""The charts of a spend report, from the bars of app.spend_report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any

from webapp import written
from webapp.pages import charts, grains
from webapp.pages.charts import Bars, Chart, Layer
from webapp.pages.measures import Measure
from webapp.pages.scope import Scope

# Parts of every bar with their colours, which no row of a breakdown has: column, name, colour.
TOKENS = (("tokens_uncached", "Input", "t1"), ("tokens_cached", "Cached input", "t2"), ("tokens_out", "Output", "t3"))
CALLS = (("good_calls", "Answered", "good"), ("error_calls", "Errors", "bad"))
WAYS = (("through", "Through SpendAI", "all"), ("outside", "Other keys", "s2"), ("surface", "Without a key", "s1"))
TOTAL = "Total"
BEFORE_US = "Before SpendAI, from OpenAI's books"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Series:
    """A colour of the main chart: the number of its rows among the bars (0: all others), its name and its colour."""

    number: int | None
    name: str
    colour: str


def across(scope: Scope, whole: Sequence[Row], back: str) -> Bars:
    """What the bars stand for. whole: the rows of whole bars; back: the query string that leads back here."""
    grain, zone = scope.query.grain, scope.query.zone
    starts, ends = [row["bar"] for row in whole], [row["bar_end"] for row in whole]
    return Bars(
        grains.heads(starts, ends, grain, zone),
        grains.ticks(starts, grain, zone),
        [grains.link(scope, start, end, back) for start, end in zip(starts, ends, strict=True)],
        [row["partial"] is not None for row in whole],
    )


def spend(
    bars: Bars, rows: Sequence[Row], series: Sequence[Series], measure: Measure, history: Mapping[datetime, Decimal]
) -> Chart | None:
    """The measure of each bar, in the colours of the table's rows. history: start of a bar → dollars of OpenAI's books
    from before the first call."""

    def layer(number: int | None, name: str, colour: str) -> Layer:
        of = [row for row in rows if row["series"] == number]
        return Layer(name, colour, [row[measure.column] for row in of], lacking=_lacking(of, measure))

    parts = [layer(one.number, one.name, one.colour) for one in series]
    parts, whole = [part for part in parts if any(part.values) or part.lacking], layer(None, TOTAL, "")
    if history and measure.name == "money":
        at = [row["bar"] for row in rows if row["series"] is None]
        parts.append(Layer(BEFORE_US, "s0", [history.get(bar) for bar in at], hatched=True))
    return charts.bars(bars, parts, whole, measure.words, measure.unit)


def _lacking(rows: Sequence[Row], measure: Measure) -> frozenset[int]:
    """The places of the sums that lack calls of unknown cost; none where tokens or calls are added up."""
    return frozenset(n for n, row in enumerate(rows) if measure.name == "money" and row["unknown_calls"])


def tokens(bars: Bars, whole: Sequence[Row]) -> Chart | None:
    """Tokens of each bar: uncached input, cached input, output."""
    parts = [Layer(name, colour, [row[column] for row in whole]) for column, name, colour in TOKENS]
    return charts.bars(bars, parts, Layer(TOTAL, "", [row["tokens"] for row in whole]), written.tokens)


def calls(bars: Bars, whole: Sequence[Row]) -> Chart | None:
    """Calls of each bar: answered ones and errors."""
    parts = [Layer(name, colour, [row[column] for row in whole]) for column, name, colour in CALLS]
    return charts.bars(bars, parts, Layer(TOTAL, "", [row["calls"] for row in whole]), written.number)


def running(
    bars: Bars, whole: Sequence[Row], before: Sequence[Row], names: tuple[str, str], measure: Measure
) -> Chart | None:
    """The measure from the beginning of the period to the end of each bar, over the same of the period it is compared
    with. names: of the two periods."""
    lines = [list(accumulate(row[measure.column] for row in rows)) for rows in (whole, before)]
    longest = max(map(len, lines))
    shown = Bars(
        [*bars.heads, *[f"No. {n + 1}" for n in range(len(bars.heads), longest)]],
        [*bars.ticks, *[""] * (longest - len(bars.ticks))],
        [*bars.links, *[None] * (longest - len(bars.links))],
        [False] * longest,
    )
    filled = [line + [None] * (longest - len(line)) for line in lines]
    # A sum that lacks calls is part of all that follow it.
    lacking = [range(min(_lacking(rows, measure), default=len(rows)), len(rows)) for rows in (whole, before)]
    parts = [
        Layer(name, colour, values, lacking=places)
        for name, colour, values, places in zip(names, ("all", "muted"), filled, lacking, strict=True)
    ]
    return charts.lines(shown, parts, measure.words, measure.unit)


def months(rows: Sequence[Row]) -> Chart | None:
    """Spend per month; the current month is hatched. The table of its numbers is one of its own."""
    names, ticks = [written.month(row["month"]) for row in rows], grains.month_ticks([row["month"] for row in rows])
    bars = Bars(names, ticks, [row["link"] for row in rows], [row["partial"] for row in rows])
    spent = Layer("Spend", "all", [row["cost"] for row in rows])
    return charts.bars(bars, [spent], None, written.money, "$") if rows else None


def through(rows: Sequence[Row]) -> Chart | None:
    """Each day's bill at OpenAI in percent: through SpendAI, with other keys, without a key. rows: app.books_share."""
    if not rows:
        return None
    known = {row["day"]: row for row in rows}
    first, last = min(known), max(known)
    days = [first.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    bars = Bars(
        [written.day(day) for day in days], [f"{day.day} {day:%b}" for day in days], [None] * len(days),
        [False] * len(days),
    )  # fmt: skip
    parts = [Layer(name, colour, [known.get(day, {}).get(column) for day in days]) for column, name, colour in WAYS]
    billed = Layer(TOTAL, "", [known.get(day, {}).get("openai") for day in days])
    return charts.bars(bars, parts, billed, written.money, "%")
