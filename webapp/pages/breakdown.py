"""What a spend page is broken down by, and the names, links and colours of the rows of a breakdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from webapp import db
from webapp.pages import colours, picks
from webapp.pages.scope import Scope
from webapp.pages.wrong import no_such

Row = dict[str, Any]
WORDS = ("project", "model", "key", "person", "tag", "end_user", "endpoint", "service_tier", "status")
BY = {word: picks.WORDS[word][0].capitalize() for word in WORDS} | {"kind": "Kind"}  # word of an address → heading
KINDS = {
    "input": "Input",
    "cached": "Cached input",
    "cache_write": "Writing to the cache",
    "output": "Output, without reasoning",
    "reasoning": "Reasoning",
    "audio": "Audio",
    "image": "Images",
    "tools": "Tools",
    "region": "Regional processing",
    "other": "Other: corrections, and costs known only as a whole",
}
# With a filter that leaves one of these, the next one says more than a single row of 100 %.
NEXT = {
    "project": ("key", "model", "endpoint"),
    "key": ("model", "endpoint", "status"),
    "model": ("project", "key", "endpoint"),
    "person": ("project", "key", "model"),
    "end_user": ("model", "project", "key"),
    "endpoint": ("model", "project", "key"),
    "service_tier": ("model", "project", "key"),
    "status": ("model", "project", "key"),
}
SERIES = 6  # rows with a colour of their own; the others are added up as “Other”


def single(scope: Scope) -> set[str]:
    """What a filter leaves only one of. One key has one project."""
    one = {name for name, words in scope.query.filters.items() if len(words) == 1}
    return one | {"project"} if "key" in one else one


def chosen_by(default: str) -> str:
    """What the page is to be broken down by, a key of BY. Raises ApiError 400."""
    by = request.args.get("by") or default
    if by not in BY:
        raise no_such("by", by)
    return by


def useful(scope: Scope, by: str) -> str:
    """``by``, or where a filter leaves only one of that, what says more."""
    one = single(scope)
    return next((other for other in NEXT.get(by, ()) if other not in one), by) if by in one else by


@dataclass(frozen=True)
class Breakdown:
    """Rows of a period, one for each project, model, …; tag_name: whose values the rows of tags are; "": the names."""

    scope: Scope
    by: str
    tag_name: str = ""

    @property
    def words(self) -> str:
        """The heading of the rows' names."""
        return self.tag_name or BY[self.by]

    @property
    def overlaps(self) -> bool:
        """Whether a call may be in several rows: those of the names of tags."""
        return self.by == "tag" and not self.tag_name

    def title(self, row: Row) -> str:
        """The name of a row."""
        if row["id"] is None:
            return f"Other ({row['members']})"
        if self.by == "kind":
            return KINDS[row["id"]]
        return row["name"] or f"no {self.tag_name or BY[self.by].lower()}"

    def full_name(self, row: Row) -> str:
        """The name, of a key with its project before it: two projects may have keys of the same name."""
        name = self.title(row)
        return f"{row['project']} / {name}" if self.by == "key" and row.get("project") else name

    def only(self, row: Row) -> dict[str, str]:
        """The filter for the calls of this row; empty where none says that."""
        if row["id"] is None or self.by == "kind":
            return {}
        if self.tag_name:
            return {"tag": f"{self.tag_name}={row['id']}"} if row["id"] else {"not_tag": self.tag_name}
        return {self.by: row["id"]}

    def link(self, row: Row) -> str | None:
        """Where the name of a row leads: this page with its calls alone; for the name of a tag, its values."""
        if self.overlaps and row["id"]:
            return self.scope.link(tag_name=row["id"], by="tag", all=None)
        only = self.only(row)
        return self.scope.link(all=None, **only) if only else None

    def named(self, tx: db.Transaction, rows: Sequence[Row]) -> list[Row]:
        """The rows with their names, links and colours: the first rows have one each, all others are grey.

        Where the calls without a name (id '') are among the first, theirs is another grey than that of the others.
        """
        ids = [row["id"] for row in rows if row["id"] is not None and row["series"]]
        places = {kind: n for n, kind in enumerate(KINDS, 1)} if self.by == "kind" else colours.places(tx, self.by, ids)
        found = {key: f"s{n}" if n else "muted" for key, n in colours.chosen(ids, places).items()}
        return [
            row | {
                "title": self.title(row), "full_name": self.full_name(row), "link": self.link(row),
                "only": (only := self.only(row)),
                "calls_link": self.scope.link("calls.index", back=None, **only) if only else None,
                "colour": "all" if self.overlaps else found.get(row["id"], "s0"),
            }
            for row in rows
        ]  # fmt: skip
