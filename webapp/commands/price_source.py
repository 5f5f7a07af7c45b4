"""What a published price list is turned into for app.price_sync, and the checks that all readers of such lists share.

The readers: price_genai.py (genai-prices) and price_litellm.py (litellm's cost map). price_files.py finds the files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from webapp.written import many

MILLION, THOUSAND, HOUR = 1_000_000, 1000, 3600
DECIMALS = 10  # of model_prices.unit_price


class SourceError(Exception):
    """The source cannot be read or has another form than expected; the message says where."""


@dataclass
class Source:
    """name: kept with each price as its source, such as "litellm 1.110.2"; its first word tells the sources apart.
    rows, aliases: as app.price_sync takes them. ignored: kind of price that the price list cannot hold → where."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    aliases: list[dict[str, Any]] = field(default_factory=list)
    ignored: dict[str, list[str]] = field(default_factory=dict)

    def add(self, model: str, dimension: str, tier: str, price: Decimal, per: int, **more: Any) -> None:
        """Add one price; more: context_min_tokens, qualifier and begins, where they are not 0, '' and None."""
        row = {"model": model, "dimension": dimension, "service_tier": tier, "unit_price": f"{price:f}"}
        usual = {"unit_qty": per, "context_min_tokens": 0, "qualifier": "", "begins": None}
        self.rows.append(row | usual | more)

    def ignore(self, kind: str, where: str) -> None:
        self.ignored.setdefault(kind, []).append(where)

    def ignored_lines(self, verbose: bool) -> list[str]:
        """One line for each kind of price that was ignored; verbose: with all places, else with their number."""
        lines = []
        for kind, places in sorted(self.ignored.items()):
            counted = Counter(places)
            more = ": " + ", ".join(counted) if verbose else f" ({many(len(counted), 'model')})"
            lines.append(f"ignored\t{self.name}: {kind}{more}")
        return lines


def expect(value: Any, kind: type, what: str) -> Any:
    """The value, if it is of this type; else raises SourceError."""
    if not isinstance(value, kind):
        words = {list: "a list", dict: "an object", str: "text"}[kind]
        raise SourceError(f"{what}: expected {words}")
    return value


def model_name(value: Any) -> str:
    """A model's name as the price list writes it; raises SourceError for what is no name."""
    name = expect(value, str, "a model's id").strip().lower()
    if not 1 <= len(name) <= 200:
        raise SourceError(f"{name[:40]!r}… is not the name of a model")
    return name


def number(value: Any, where: str) -> Decimal:
    """A finite number that is not negative, exact; raises SourceError for anything else, also for True."""
    try:
        found = Decimal(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite() or not 0 <= found < Decimal(10) ** DECIMALS:
        raise SourceError(f"{where}: {value} is not a price")
    return found
