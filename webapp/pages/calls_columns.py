"""The columns of the list of calls: which there are, and which of them a person chose to see.

Time and cost are always shown. The choice stands in ``columns=`` of the query string, and in a cookie for pages
without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from webapp.pages.wrong import no_such

COOKIE, YEAR = "calls_columns", 365 * 86400
# Column → its heading, and the width of a window, in pixels, from which those see it who chose nothing: 0 always,
# None never.
COLUMNS: dict[str, tuple[str, int | None]] = {
    "model": ("Model", 0),
    "project": ("Project", 0),
    "key": ("Key", 0),
    "end_user": ("End user", 1400),
    "tags": ("Tags", 1400),
    "tokens_in": ("Input", 0),
    "tokens_cached": ("Cached", 0),
    "tokens_out": ("Output", 0),
    "tokens_reasoning": ("Reasoning", 1700),
    "latency_ms": ("ms", 0),
    "ttft_ms": ("First byte, ms", None),
    "status": ("Status", 0),
    "endpoint": ("Endpoint", 1700),
    "service_tier": ("Tier", 1700),
    "id": ("Call id", None),
}
NUMBERS = ("tokens_in", "tokens_cached", "tokens_out", "tokens_reasoning", "latency_ms", "ttft_ms", "status")


@dataclass(frozen=True)
class Columns:
    """The columns of one page. chosen: by the person; None: the usual ones, more of them in a wider window."""

    chosen: list[str] | None
    asked: bool  # whether this request says so

    @property
    def shown(self) -> dict[str, str]:
        """Column → classes of its cells, in the order of the page."""
        return {
            name: " ".join(
                part
                for part in ("num" if name in NUMBERS else "", f"from{width}" if width and self.chosen is None else "")
                if part
            )
            for name, (_, width) in COLUMNS.items()
            if (width is not None if self.chosen is None else name in self.chosen)
        }

    @property
    def word(self) -> str:
        """For ``columns=`` of the page's links; empty where its query string has none."""
        return ",".join(self.chosen or ["usual"]) if self.asked else ""

    def keep(self, answer: Response) -> Response:
        """The answer, with a cookie that keeps what was asked for."""
        if self.asked and self.chosen:
            answer.set_cookie(COOKIE, ".".join(self.chosen), max_age=YEAR, samesite="Lax", httponly=True)
        elif self.asked:
            answer.delete_cookie(COOKIE, samesite="Lax", httponly=True)
        return answer


def read() -> Columns:
    """The Columns of this request. ApiError 400 for one that there is not; in the cookie it is ignored."""
    given = request.args.getlist("columns")
    words = [word for part in given for word in part.split(",") if word]
    if unknown := [word for word in words if word not in COLUMNS and word != "usual"]:
        raise no_such("columns", unknown[0])
    if given:
        return Columns(None if "usual" in words else _known(words), True)
    return Columns(_known(request.cookies.get(COOKIE, "").split(".")), False)


def _known(words: list[str]) -> list[str] | None:
    """The columns among words, in the order of the page; None for none."""
    return [name for name in COLUMNS if name in words] or None
