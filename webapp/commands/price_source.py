"""Reads OpenAI's prices as genai-prices publishes them, and turns them into rows for app.price_sync.

The source is a JSON list of providers, each with models; a model has `prices` (one set, or several with start dates)
and `price_variants` (sets for a service tier or for batches). A set maps units such as `input_mtok` to dollars, or to
dollars that differ by the size of the context. Only the provider `openai` is read. Only `flask prices sync` uses this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGE = "genai-prices"
MILLION, THOUSAND, HOUR = 1_000_000, 1000, 3600
# Unit of the source → our dimension, and the quantity that its price is for.
UNITS = {
    "input_mtok": ("input_text", MILLION),
    "output_mtok": ("output_text", MILLION),
    "cache_read_mtok": ("cached_text", MILLION),
    "cache_write_mtok": ("cache_write", MILLION),
    "input_audio_mtok": ("input_audio", MILLION),
    "cache_audio_read_mtok": ("cached_audio", MILLION),
    "output_audio_mtok": ("output_audio", MILLION),
    "input_image_mtok": ("input_image", MILLION),
    "cache_image_read_mtok": ("cached_image", MILLION),
    "output_image_mtok": ("output_image", MILLION),
    "audio_hours": ("audio_seconds", HOUR),
    "input_audio_hours": ("audio_seconds", HOUR),
    "input_mchars": ("input_characters", MILLION),
    "web_searches_kcount": ("web_search_calls", THOUSAND),
    "storage_searches_kcount": ("file_search_calls", THOUSAND),
}
# Word in a variant's condition → our tier; `fast` is another name of priority, and `default` means the standard prices.
TIERS = {"flex": "flex", "priority": "priority", "fast": "priority", "ultrafast": "ultrafast", "batch": "batch"}
KINDS = {"equals": "exact", "starts_with": "prefix", "regex": "regex"}
DECIMALS = 10


class SourceError(Exception):
    """The source cannot be read or has another form than expected; the message says where."""


@dataclass
class Source:
    """name: kept with each price as its source. rows, aliases: as app.price_sync takes them. ignored: one text for each
    price of the source that the price list cannot hold."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    aliases: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def from_file(path: Path) -> Source:
    """Prices of a data.json. Raises SourceError."""
    try:
        providers = json.loads(
            path.read_text("utf-8"), parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number
        )
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise SourceError(f"{path} is not JSON: {error}") from None
    return _read(f"{PACKAGE} {path.name}"[:200], providers)


def from_package() -> Source:
    """Prices of the installed package. Raises SourceError where there is none."""
    try:
        name = f"{PACKAGE} {version(PACKAGE)}"
    except PackageNotFoundError:
        raise SourceError(f"pip install {PACKAGE}, or name a data.json with --file") from None
    return _read(name, _plain(import_module("genai_prices.data").providers))


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _plain(value: Any) -> Any:
    """The package's Python objects as lists and dicts, with the names and dates of its JSON."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict) or hasattr(value, "__dict__"):
        parts = value if isinstance(value, dict) else vars(value)
        return {name.rstrip("_"): _plain(part) for name, part in parts.items() if part is not None}
    return value


def _read(name: str, providers: Any) -> Source:
    source = Source(name)
    for model in _expect(_openai(providers).get("models"), list, "models"):
        model_id = _expect(_expect(model, dict, "a model").get("id"), str, "a model's id").strip().lower()
        if not 1 <= len(model_id) <= 200:
            raise SourceError(f"{model_id[:40]!r}… is not the name of a model")
        prices = model.get("prices")
        for place, part in enumerate(prices if isinstance(prices, list) else [{"prices": prices}]):
            _add(source, model_id, "standard", part, f"{model_id}, prices {place + 1}")
        for place, part in enumerate(_expect(model.get("price_variants") or [], list, f"{model_id}, price_variants")):
            where = f"{model_id}, price_variants {place + 1}"
            for tier in _tiers(source, _expect(part, dict, where), where):
                _add(source, model_id, tier, part, where)
        for kind, pattern in _patterns(model.get("match")):
            source.aliases.append({"kind": kind, "pattern": pattern, "model": model_id})
    if not source.rows:
        raise SourceError("the provider openai has no prices")
    return source


def _openai(providers: Any) -> dict[str, Any]:
    for provider in _expect(providers, list, "the data"):
        if isinstance(provider, dict) and provider.get("id") == "openai":
            return provider
    raise SourceError("there is no provider openai")


def _tiers(source: Source, variant: dict[str, Any], where: str) -> list[str]:
    """The tier of a variant, in a list; empty for the standard tier, and for a condition that is no tier of ours."""
    when = _expect(variant.get("when"), dict, f"{where}, when")
    if len(when) == 1:
        (condition, word), = when.items()  # fmt: skip
        if word in TIERS and (condition == "processing") == (word == "batch"):
            return [TIERS[word]]
        if (condition, word) == ("service_tier", "default"):
            return []
    source.ignored.append(f"{where}: when {when}")
    return []


def _add(source: Source, model: str, tier: str, part: Any, where: str) -> None:
    """Add the rows of one set of prices to the source; where: its position, for messages."""
    constraint = _expect(part, dict, where).get("constraint") or {}
    begins = _expect(constraint, dict, f"{where}, constraint").get("start_date")
    if constraint and begins is None:
        source.ignored.append(f"{where}: {constraint}")
        return
    try:
        begins = date.fromisoformat(begins).isoformat() if begins is not None else None
    except (TypeError, ValueError):
        raise SourceError(f"{where}: {begins!r} is not a date") from None
    for unit, price in _expect(part.get("prices"), dict, where).items():
        if unit not in UNITS:
            source.ignored.append(f"{where}: {unit}")
            continue
        dimension, per = UNITS[unit]
        for least, amount in _bands(price, f"{where}, {unit}"):
            source.rows.append({
                "model": model, "dimension": dimension, "service_tier": tier, "context_min_tokens": least,
                "unit_price": f"{amount:f}", "unit_qty": per, "begins": begins,
            })  # fmt: skip


def _bands(price: Any, where: str) -> Iterator[tuple[int, Decimal]]:
    """(input tokens above which the price holds, dollars) of a price, or of each step of a price with `tiers`."""
    if not isinstance(price, dict):
        yield 0, _dollars(price, where)
        return
    yield 0, _dollars(price.get("base"), where)
    for tier in _expect(price.get("tiers"), list, f"{where}, tiers"):
        start = _expect(tier, dict, f"{where}, tiers").get("start")
        if isinstance(start, bool) or not isinstance(start, Decimal | int) or start % 1 or not 0 < start < 2**31:
            raise SourceError(f"{where}: {start!r} is not a context size")
        yield int(start), _dollars(tier.get("price"), where)


def _dollars(value: Any, where: str) -> Decimal:
    """An exact price in dollars; raises SourceError for anything else."""
    number = Decimal(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else None
    if number is None or not number.is_finite() or not 0 <= number < Decimal(10) ** DECIMALS:
        raise SourceError(f"{where}: {value} is not a price")
    if round(number, DECIMALS) != number:
        raise SourceError(f"{where}: {value} has more than {DECIMALS} decimals")
    return number


def _patterns(match: Any) -> Iterator[tuple[str, str]]:
    """(kind, pattern) of each name of a model. `contains` and `ends_with` are left out: they match too many models."""
    for clause, value in match.items() if isinstance(match, dict) else ():
        if clause == "or" and isinstance(value, list):
            for part in value:
                yield from _patterns(part)
        elif clause in KINDS and isinstance(value, str) and 1 <= len(value) <= 200:
            yield KINDS[clause], value if clause == "regex" else value.strip().lower()


def _expect(value: Any, kind: type, what: str) -> Any:
    """The value, if it is of this type; else raises SourceError."""
    if not isinstance(value, kind):
        words = {list: "a list", dict: "an object", str: "text"}[kind]
        raise SourceError(f"{what}: expected {words}")
    return value
