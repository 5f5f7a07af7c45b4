"""Scope: the period and filters of a page, and the links that change one thing about them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import current_app, request, url_for
from psycopg.types.json import Jsonb

from webapp import filters
from webapp.errors import ApiError
from webapp.filters import EXCLUSIONS, FILTERS, Query
from webapp.pages.picks import BASIC, NONE, WORDS, Pick

# Parameters that say how a page shows its numbers; links to the same page keep them. Those of the second line mean
# something else on another page.
VIEW = ("by", "and", "tag_name", "measure")
VIEW_HERE = ("all", "sort", "columns", "session")
PERIOD = ("period", "from", "to", "tz", "grain", "compare", "shown_from", "shown_to", "exclude")
WITH_SCOPE = ("spend", "projects", "calls")  # blueprints whose pages have a period and filters
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
WITH_PERIOD = ("keys", "labels", "team")  # those whose pages have a period


@dataclass(frozen=True)
class Scope:
    """The period and filters of one page, and links that change one thing about them."""

    query: Query
    extra: dict[str, Any] = field(default_factory=dict)  # other query string parameters that links keep, such as by
    names: dict[str, dict[str, str]] = field(default_factory=dict)  # filter → its choices: value → text
    fixed: tuple[str, ...] = ()  # filters that the path sets, such as a project: no chip, not in links to this page
    picks: dict[str, Pick] = field(default_factory=dict)  # filter → how the form shows it
    error: ApiError | None = None  # about the period that was asked for; the query has another one then

    @property
    def words(self) -> tuple[Any, Any, Jsonb]:
        """from, to and filters as every SQL function takes them."""
        return self.query.since, self.query.until, Jsonb(self.query.filters)

    @property
    def zone_name(self) -> str:
        """Name of the zone of days and times."""
        return self.query.zone.key

    @property
    def days(self) -> str:
        """The period in words: 24 Oct – 22 Nov 2026."""
        return self.query.span.words

    @property
    def dates(self) -> tuple[str, str]:
        """The two dates of the form: as typed, if they are wrong; what is no date has no place in their fields."""
        if self.error:
            first, last = (request.args.get(name, "") for name in ("from", "to"))
            return first if DATE.fullmatch(first) else "", last if DATE.fullmatch(last) else ""
        return self.query.span.first.isoformat(), self.query.span.last.isoformat()

    @property
    def before(self) -> str:
        """The text for the period with which this one is compared."""
        return self.query.before_words

    @property
    def earlier(self) -> str | None:
        """Link to the period of the same kind before this one."""
        return self._beside(-1)

    @property
    def later(self) -> str | None:
        """Link to the period after this one; None where it has not begun."""
        return self._beside(1)

    def _beside(self, steps: int) -> str | None:
        other = self.query.beside(steps)
        if other is None:
            return None
        period = filters.period_as_args(other.span) if other.period == "custom" else {"period": other.period}
        return self.link(**period)

    def args(self, page: str | None = None, /, **changes: Any) -> dict[str, Any]:
        """Parameters of the query string with changes; None removes one. Of a filter, a list with an empty word asks
        for calls without the value.
        """
        own = filters.as_args(self.query) | self.extra
        path = _path_words(page) if page else ()
        gone = VIEW_HERE if page else [word for name in self.fixed for word in (name, f"not_{name}")]
        if "project_id" in path:
            gone = (*gone, "project", "not_project")
        if changes.get("from") or changes.get("to"):
            gone = (*gone, "period")
        elif changes.get("period"):
            gone = (*gone, "from", "to")
        words = {name: word for name, word in own.items() if name not in gone} | changes
        for name in changes.keys() & {*FILTERS, *EXCLUSIONS}:
            word = words[name]
            words[name] = [filters.filter_value(str(one)) for one in ([word] if _is_one(word) else word or [])]
        if words.get("period") == "30":
            del words["period"]
        return {name: word for name, word in words.items() if word}

    def link(self, page: str | None = None, /, **changes: Any) -> str:
        """This page, or another one with the same period and filters, with changes.

        A change that is part of the other page's path goes there: link("projects.show", project_id=…).
        """
        path = (request.view_args or {}) if page is None else {
            name: changes.pop(name) for name in _path_words(page) if name in changes
        }  # fmt: skip
        words = urlencode(self.args(page, **changes), doseq=True)  # not by url_for, which takes `endpoint` for itself
        return url_for(page or request.endpoint or "", **path) + ("?" + words if words else "")

    @property
    def without_filters(self) -> str:
        """Link to this page with the same period and no filter."""
        return self.link(**dict.fromkeys(self.query.filters))

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """(filter, text of its value, link without it) of every filter in use."""
        found = []
        for parameter, values in self.query.filters.items():
            name = parameter.removeprefix("not_")
            if name in self.fixed:
                continue
            for value in values:
                words = self.names.get(name, {}).get(value, value or NONE)
                link = self.link(**{parameter: [v for v in values if v != value]})
                found.append((WORDS.get(name, (name,))[0], words if parameter == name else f"not {words}", link))
        return found

    @property
    def in_basic(self) -> list[Pick]:
        """Filters that the form shows at once."""
        return [self.picks[name] for name in BASIC if name in self.picks]

    @property
    def in_more(self) -> list[Pick]:
        """Filters that the form shows when asked for more."""
        return [pick for name, pick in self.picks.items() if name not in BASIC]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Parameters that the form carries because none of its fields has them."""
        shown = {f"not_{pick.name}" if pick.excluded else pick.name for pick in self.picks.values()}
        gone = {*shown, *(word for name in self.fixed for word in (name, f"not_{name}")), "period", "from", "to"}
        words = {name: word for name, word in self.args().items() if name not in gone}
        return [(name, one) for name, word in words.items() for one in ([word] if _is_one(word) else word)]


class FilterError(ApiError):
    """A period that cannot be: shown beside its field, in the form that has all other filters as they were."""

    def __init__(self, error: ApiError, scope: Scope) -> None:
        super().__init__(error.status, error.code, error.message, error.param, error.hint)
        self.scope = scope


def _is_one(word: Any) -> bool:
    return word is not None and not isinstance(word, list | tuple)


def _path_words(page: str) -> set[str]:
    return {word for rule in current_app.url_map.iter_rules(page) for word in rule.arguments}


def asked(without: str | None = None) -> str:
    """The query string of this request with its ?, for addresses that lead back here. without: a parameter to leave
    out."""
    words = urlencode([(name, word) for name, word in request.args.items(multi=True) if name != without])
    return f"?{words}" if words else ""


def carried(page: str, without: str | None = None) -> str:
    """Address of a page with the period and filters of this one, as they stand in its query string.

    Lists of keys, end users and tags, and a member, have filters of their own: to and from them the period alone goes.
    without: a parameter to leave out, because it was refused.
    """
    names: tuple[str, ...] = ()
    if request.blueprint in WITH_SCOPE and page.partition(".")[0] in WITH_SCOPE:
        names = (*PERIOD, *FILTERS, *EXCLUSIONS, *VIEW)
    elif request.blueprint in (*WITH_SCOPE, *WITH_PERIOD):
        names = tuple(name for name in PERIOD if name != "exclude")
    words = [(name, word) for name in names if name != without for word in request.args.getlist(name) if word]
    here = (request.view_args or {}).get("project_id")
    if here and page == "calls.index":
        words = [pair for pair in words if pair[0] not in ("project", "not_project")] + [("project", here)]
    return url_for(page) + ("?" + urlencode(words) if words else "")
