"""What the filters of a page offer, and what is chosen of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from webapp import db
from webapp.filters import FILTERS, Query

LIMIT = 200  # values that a filter offers, besides those that are chosen
# Cost status of a call → its words on pages.
STATUSES = {
    "priced": "priced",
    "free": "free",
    "error": "error, not billed",
    "tier_fallback": "priced at the standard tier",
    "unpriced_model": "no price for this model",
    "unpriced_dimension": "no price for a part of it",
    "no_usage": "no usage reported",
    "pending_object": "result not seen yet",
    "in_doubt": "in doubt",
}
ANSWERS = {
    "error": "Errors, 400 and above",
    "200": "200 OK",
    "400": "400 bad request",
    "401": "401 key refused",
    "429": "429 rate limit",
    "499": "499 client hung up",
    "500": "500 server error",
    "503": "503 unavailable",
}
# Filter → its name on pages, the same for several, and the words where nothing is chosen.
WORDS = {
    "project": ("project", "projects", "All projects"),
    "model": ("model", "models", "All models"),
    "key": ("key", "keys", "All keys"),
    "cost_status": ("cost", "costs", "Any cost"),
    "person": ("person", "people", "Anybody's keys"),
    "endpoint": ("endpoint", "endpoints", "Any endpoint"),
    "service_tier": ("tier", "tiers", "Any tier"),
    "status": ("status", "statuses", "Any status"),
    "tag": ("tag", "tags", "Any tag"),
    "end_user": ("end user", "end users", "Any end user"),
    "state": ("state", "states", "Any state"),
    "used": ("use", "uses", "Used or not"),
}
BASIC = ("project", "model", "key", "cost_status")
TYPED = {"tag": "team=shop", "end_user": "as the client sent it"}  # filters whose values are typed → an example
NONE = "none"  # for the empty word: calls without the value

Groups = list[tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True)
class Pick:
    """One filter as the form shows it."""

    name: str
    chosen: list[str]
    excluded: bool  # calls that have one of the chosen values are left out
    groups: Groups  # heading, or nothing → the values offered with their words
    known: int  # how many values there are in all
    may_exclude: bool = True

    @property
    def label(self) -> str:
        return WORDS[self.name][0].capitalize()

    @property
    def plural(self) -> str:
        return WORDS[self.name][1]

    @property
    def offered(self) -> int:
        """How many values are in the list."""
        return sum(len(values) for _, values in self.groups)

    @property
    def example(self) -> str:
        """Of a value to be typed; empty where values are chosen from the list only."""
        return TYPED.get(self.name, "")

    @property
    def chosen_words(self) -> list[str]:
        """The words of what is chosen."""
        words = dict(pair for _, values in self.groups for pair in values)
        return [words[value] for value in self.chosen]

    @property
    def summary(self) -> str:
        """What is chosen, in a few words."""
        _, several, all_of_them = WORDS[self.name]
        if not self.chosen:
            return all_of_them
        what = self.chosen_words[0] if len(self.chosen) == 1 else f"{len(self.chosen)} {several}"
        return f"not {what}" if self.excluded else what


def narrowed(search: str, shown: Iterable[Pick] = ()) -> Iterator[tuple[str, str]]:
    """What the sheet About of a file says of the search and the filters that chose its rows."""
    if search:
        yield "Only what a search finds", search
    for pick in shown:
        if pick.chosen:
            yield f"Only {pick.label.lower()}", ", ".join(pick.chosen_words)


def read_names(tx: db.Transaction, query: Query) -> tuple[dict[str, Groups], dict[str, int]]:
    """Filter → the values it offers in groups; and how many there are, where not all are offered."""
    groups: dict[str, Groups] = {name: [] for name in FILTERS}
    known: dict[str, int] = {}
    for row in tx.rows("filter_choices", query.since, query.until, Jsonb(query.filters), LIMIT):
        name, heading = row["filter"], row["project"] or ""
        if not groups[name] or groups[name][-1][0] != heading:
            groups[name].append((heading, []))
        groups[name][-1][1].append((row["value"], _words(row)))
        known[name] = row["known"]
    seen = {value: value for _, values in groups["status"] for value, _ in values}
    groups["status"] = [("", list((seen | ANSWERS).items()))]
    groups["status"][0][1].sort(key=lambda pair: (pair[0] != "error", pair[0]))
    groups["cost_status"] = [("", list(STATUSES.items()))]
    for name in TYPED:
        groups[name] = [("", [("", f"no {WORDS[name][0]}")])]
    return groups, known


def _words(row: dict[str, Any]) -> str:
    if row["filter"] == "key":
        return f"{row['name']} · {row['prefix']}…"
    if row["filter"] == "person":
        return row["name"] or "former member"
    return row["name"]


def picks(
    filters: dict[str, list[str]],
    groups: dict[str, Groups],
    known: dict[str, int],
    names: Sequence[str],
    **fields: bool,
) -> dict[str, Pick]:
    """Filter → how the form shows it. Where a filter both asks for values and leaves some out, it shows the former.

    filters: those in use; names: those that are shown; fields: further fields of each Pick.
    """
    found = {}
    for name in names:
        excluded = f"not_{name}" in filters and name not in filters
        chosen = filters.get(f"not_{name}" if excluded else name, [])
        offered = {value for _, values in groups[name] for value, _ in values}
        missing = [(value, value or NONE) for value in chosen if value not in offered]
        shown = ([("", missing)] if missing else []) + groups[name]
        found[name] = Pick(name, chosen, excluded, shown, max(known.get(name, 0), len(offered)), **fields)
    return found
