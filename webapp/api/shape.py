"""Values of answers as JSON has them: money as decimal text, times in UTC, lists with a cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from webapp.written import digits


def plain(value: Any) -> Any:  # noqa: PLR0911
    """A value of the database as a value for JSON; Decimal becomes text, never a float."""
    match value:
        case Decimal():
            return digits(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return {name: plain(part) for name, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case _:
            return value


def listed(rows: Iterable[Mapping[str, Any]], next_cursor: str | None = None) -> dict[str, Any]:
    """The body of every route that answers a list."""
    return {"data": [plain(row) for row in rows], "next_cursor": next_cursor}
