"""The template variables of a spend report (_report.html), for the organization and for one project."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request
from psycopg.types.json import Jsonb
from werkzeug.datastructures import MultiDict

from webapp import db, written
from webapp.errors import ApiError
from webapp.pages import breakdown, grains, pivot, spend_charts
from webapp.pages.breakdown import BY, SERIES, Breakdown
from webapp.pages.charts import Bars
from webapp.pages.common import read_query
from webapp.pages.measures import MARK, MEASURES, UNKNOWN, Measure, chosen_measure, measured, unknown_calls
from webapp.pages.scope import Scope
from webapp.pages.sorting import read_sorting
from webapp.pages.spend_charts import Series

TOP = 5  # rows of the second, shorter breakdown
MONTHS = 13  # so that each month of the last twelve has one before it
COLUMNS = {"now": True, "name": False, "before": True, "difference": True, "calls": True, "cost": True,
           "tokens_in": True, "tokens_cached": True, "tokens_out": True}  # fmt: skip
# Amounts and ratios in the JSON of app.spend_report; psycopg reads whole ones as int.
DECIMALS = ("cost", "adjustments", "cost_corrected", "cost_per_1000", "share", "cached_share", "error_share",
            "error_share_before", "calls_change", "tokens_change", "cost_change", "cost_per_1000_change", "cost_before",
            "cost_per_1000_before", "change", "change_calls", "change_tokens", "change_price",
            "usual", "row_cost", "row_usual")  # fmt: skip
Row = dict[str, Any]


def kept() -> dict[str, str]:
    """What the links of a report keep besides what those of every page do: the page from whose bar it was opened."""
    return {"back": request.args.get("back", "")}


def report(tx: db.Transaction, scope: Scope, default: str) -> dict[str, Any]:
    """Everything that _report.html shows. default: what it is broken down by where nobody chose anything."""
    by = breakdown.useful(scope, breakdown.chosen_by(default))
    shown = Breakdown(scope, by, request.args.get("tag_name", "") if by == "tag" else "")
    # Tokens and calls are not of one kind.
    measure = MEASURES["money"] if by == "kind" else chosen_measure()
    side = Breakdown(scope, "model" if by == "key" or "key" in breakdown.single(scope) else "key")
    found = _asked(tx, shown, side, None if request.args.get("all") or by == "kind" else SERIES)
    totals, whole = found["totals"], grains.of_bars(found["bars"])
    rows = [measured(row, measure, totals[measure.column]) for row in shown.named(tx, found["rows"])]
    top = [row for row in side.named(tx, found["side"]) if row["id"] is not None][:TOP]
    history = _history(tx, scope, whole) if not scope.query.filters else {}
    across = spend_charts.across(scope, whole, urlencode(scope.args(), doseq=True))
    sorting = read_sorting(COLUMNS, lambda word: scope.link(sort=word))
    return {
        "scope": scope, "by": by, "by_words": shown.words, "tag_name": shown.tag_name, "overlaps": shown.overlaps,
        "measure": measure, "totals": totals, "compared": scope.query.before is not None,
        "grain": scope.query.grain, "sorting": sorting, "rows": _sorted(rows, sorting, measure),
        "total": measured(totals, measure, totals[measure.column]), "history": history,
        "lack": _lack(tx, shown, side), "side": side.by,
        "top": [measured(row, MEASURES["money"], totals["cost"]) for row in top],
        "chart": spend_charts.spend(across, found["bars"], _series(shown, rows), measure, history),
        "tokens_chart": spend_charts.tokens(across, whole), "calls_chart": spend_charts.calls(across, whole),
        "hatching": _hatching(whole), "back": _back(scope), "files": _files(scope, by),
        "pivot": pivot.pivot(tx, shown, pivot.chosen_and()),
        "pivots": pivot.choices(scope, shown, pivot.chosen_and()),
        "peak": _peak(shown, found["peak"], across, whole, rows) if measure.name == "money" else None,
        **_months(tx, scope, found["months"]),
    } | _switches(scope, by, measure) | _running(scope, found, across, measure)  # fmt: skip


def by_project(tx: db.Transaction, scope: Scope) -> tuple[dict[str, Row], Row]:
    """Id of each project with calls → its row of the breakdown; and the row of all of them."""
    shown = Breakdown(scope, "project")
    found = _asked(tx, shown, shown, None)
    money, totals = MEASURES["money"], found["totals"]
    rows = [measured(row, money, totals["cost"]) for row in found["rows"]]
    return {row["id"]: row for row in rows}, measured(totals, money, totals["cost"])


def _asked(tx: db.Transaction, shown: Breakdown, side: Breakdown, top: int | None) -> dict[str, Any]:
    """The answer of app.spend_report with exact amounts and moments."""
    query = shown.scope.query
    found = tx.call(
        "spend_report", *query.periods, query.zone.key, query.grain,
        shown.by, shown.tag_name or None, side.by, Jsonb(query.filters), top,
    )  # fmt: skip
    exact = {part: _exact(found[part]) for part in ("rows", "side", "bars", "before_bars", "months")}
    for bar in exact["bars"]:
        bar |= {end: datetime.fromisoformat(bar[end]) for end in ("bar", "bar_end")}
    one = {part: _exact([found[part]])[0] if found[part] else None for part in ("totals", "peak")}
    return _kinds_lack(exact | one) if shown.by == "kind" else exact | one


def _lack(tx: db.Transaction, shown: Breakdown, side: Breakdown) -> date | None:
    """The day before which the report lacks dropped calls, as totals do not answer what it asks; None: it has all."""
    query, chosen = shown.scope.query, pivot.chosen_and()
    asked = [[shown.by], [side.by]] if shown.overlaps else [[shown.by, side.by]]
    asked += [[shown.by, chosen]] if chosen else []
    since = min(query.since, query.before[0]) if query.before else query.since
    found = (tx.call("sums_lack", since, query.until, words, Jsonb(query.filters))["sums_lack"] for words in asked)
    return next((day for day in found if day), None)


def _kinds_lack(found: dict[str, Any]) -> dict[str, Any]:
    """The report by kind: each row and bar lacks all calls of unknown cost, as nobody knows what they were paid for."""
    lacking = {name: found["totals"][name] for name in (*UNKNOWN, "unknown_before", "calls", "calls_before")}
    bars = {row["bar"]: {"unknown_calls": row["unknown_calls"]} for row in grains.of_bars(found["bars"])}
    return found | {
        "rows": [row | lacking for row in found["rows"]], "bars": [row | bars[row["bar"]] for row in found["bars"]],
    }  # fmt: skip


def _exact(rows: list[Row]) -> list[Row]:
    """Rows of JSON with every amount and ratio as Decimal."""
    return [{k: Decimal(v) if k in DECIMALS and v is not None else v for k, v in row.items()} for row in rows or []]


def _sorted(rows: list[Row], sorting: Any, measure: Measure) -> list[Row]:
    """In the order asked for; the row of all others is the last."""
    named, rest = [row for row in rows if row["id"] is not None], [row for row in rows if row["id"] is None]
    if measure.name != "money":  # SQL sorts by cost
        named.sort(key=lambda row: row["now"], reverse=True)
    return sorting.sorted(named) + rest


def _series(shown: Breakdown, rows: list[Row]) -> list[Series]:
    """The colours of the chart, the first row of the table at the bottom; one colour where rows do not make up bars."""
    if shown.overlaps:
        return [Series(None, "All", "all")]
    series = [Series(row["series"], row["full_name"], row["colour"]) for row in rows if row["series"]]
    rest = [row for row in rows if not row["series"]]
    return [*series, Series(0, "Other" if len(rest) > 1 else rest[0]["full_name"], "s0")] if rest else series


def _history(tx: db.Transaction, scope: Scope, whole: list[Row]) -> dict[datetime, Decimal]:
    """Start of a bar → dollars of OpenAI's books from before the first call. Books have days (UTC), no hours."""
    if not whole or scope.query.grain == "hour":
        return {}
    firsts, untils = [[row[end].date() for row in whole] for end in ("bar", "bar_end")]
    amounts = tx.query(
        "select b.n, sum(h.amount) as amount from unnest(%s::date[], %s::date[]) with ordinality b (first, until, n)"
        " join app.books_history(%s, %s, 1) h on h.bar >= b.first and h.bar < b.until group by b.n",
        firsts, untils, firsts[0], untils[-1],
    )  # fmt: skip
    return {whole[row["n"] - 1]["bar"]: row["amount"] for row in amounts}


def _hatching(whole: list[Row]) -> str:
    """What hatched bars mean here; empty where none is."""
    words = {"now": "not over yet", "cut": "cut off by the period"}
    return " or ".join(words[kind] for kind in words if any(row["partial"] == kind for row in whole))


def _peak(
    shown: Breakdown, found: Row | None, across: Bars, whole: list[Row], rows: list[Row]
) -> dict[str, Any] | None:
    """The words and links of the sentence about a bar that stands out; found: the peak of app.spend_report."""
    scope = shown.scope
    if found is None or scope.query.grain == "hour":  # the hours of a day are never alike
        return None
    start = datetime.fromisoformat(found["bar"])
    place = next(n for n, row in enumerate(whole) if row["bar"] == start)
    said = {"head": across.heads[place], "link": across.links[place], "amount": found["cost"], "usual": found["usual"],
            "unknown_calls": whole[place]["unknown_calls"]}  # fmt: skip
    row = next((row for row in rows if row["id"] == found["id"]), {"id": found["id"], "name": found["name"]})
    only = shown.only(row)
    if not only or shown.overlaps:
        return said
    last = whole[place]["bar_end"] - timedelta(microseconds=1)
    days = {name: str(at.astimezone(scope.query.zone).date()) for name, at in (("from", start), ("to", last))}
    return said | {"name": shown.full_name(row), "calls": scope.link("calls.index", back=None, **days, **only),
                   "part": found["row_cost"], "usual_part": found["row_usual"]}  # fmt: skip


def _back(scope: Scope) -> dict[str, str] | None:
    """The page from whose bar this one was opened, as its days and link; None for words that make no page."""
    words = parse_qsl(request.args.get("back", ""))
    if "back" not in request.args:
        return None
    try:
        query = read_query(MultiDict(words))
    except ApiError:
        return None
    return {"days": query.span.words, "link": request.path + ("?" + urlencode(words) if words else "")}


def _files(scope: Scope, by: str) -> list[tuple[str, str]]:
    """The files of the page: words and address of the CSV; see _exports.html."""
    grains_in_words = {"day": "By day", "month": "By month, with totals"}
    return [(words, scope.link("spend.table", by=by, grain=grain)) for grain, words in grains_in_words.items()]


def _switches(scope: Scope, by: str, measure: Measure) -> dict[str, Any]:
    """The choices of the page, each as triples of words, address and whether it is the one in use."""
    one = breakdown.single(scope) | set(scope.fixed)
    comparisons = {"": "period before", "year": "year before", "none": "nothing"}
    compare = "" if scope.query.compare == "before" else scope.query.compare
    return {
        "measures": [
            (name.capitalize(), scope.link(measure=name if name != "money" else None, sort=None), name == measure.name)
            for name in MEASURES
        ] if by != "kind" else [],
        "grains": [
            (grains.WORDS[grain], scope.link(grain=grain), grain == scope.query.grain)
            for grain in grains.sensible(scope.query)
        ],
        "comparisons": [
            (words, scope.link(compare=word or None), word == compare) for word, words in comparisons.items()
        ],
        "breakdowns": [
            (words, scope.link(by=word, all=None, tag_name=None, **{"and": None}), word == by)
            for word, words in BY.items() if word not in one or word == by
        ],
    }  # fmt: skip


def _running(scope: Scope, found: dict[str, Any], across: Bars, measure: Measure) -> dict[str, Any]:
    """The chart of the measure added up, and its last figures; None where nothing is compared or there is one bar."""
    whole, before = grains.of_bars(found["bars"]), found["before_bars"]
    if scope.query.before is None or len(whole) < 2 or not before:
        return {"running": None}
    totals = found["totals"]
    lacking = (unknown_calls(totals), totals["unknown_before"]) if measure.name == "money" else (0, 0)
    return {
        "running": spend_charts.running(across, whole, before, (scope.query.span.words, scope.before), measure),
        "running_ends": [
            measure.words(totals[column]) + (MARK if unknown else "")
            for column, unknown in zip((measure.column, f"{measure.column}_before"), lacking, strict=True)
        ],
    }


def _months(tx: db.Transaction, scope: Scope, known: list[Row]) -> dict[str, Any]:
    """The last months, the oldest first, without the empty ones before the first call. known: those of the report."""
    known = [row | {"month": date.fromisoformat(row["month"])} for row in known[-MONTHS:]]
    rows = tx.rows("spend_months", MONTHS, len(known), Jsonb(scope.query.filters), scope.query.zone.key) + known
    first = next((n for n, row in enumerate(rows) if row["calls"] or row["cost"]), len(rows))
    rows = rows[first:]
    money = MEASURES["money"]
    shown = []
    for n, row in enumerate(rows):
        period = {"from": str(row["month"]), "to": written.last_day(row["month"])}
        # What a month that is not over has so far says nothing beside a whole one.
        before = rows[n - 1] if n and not row["partial"] else {}
        compared = {"cost_before": before.get("cost"), "unknown_before": unknown_calls(before)}
        shown.append(measured(row | compared, money, 0) | {"link": scope.link(grain=None, **period)})
    return {"months": shown, "months_chart": spend_charts.months(shown)}
