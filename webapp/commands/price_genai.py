"""Reads OpenAI's prices as the package genai-prices publishes them: its data.json, or the data.py of its wheel.

The data is a list of providers, each with models; a model has `prices` (one set, or several with start dates) and
`price_variants` (sets for a service tier or for batches). A set maps units such as `input_mtok` to dollars, or to
dollars that differ by the size of the context. Only the provider `openai` is read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from webapp.commands.price_source import (
    DECIMALS,
    HOUR,
    MILLION,
    THOUSAND,
    Source,
    SourceError,
    expect,
    model_name,
    number,
)

PACKAGE = "genai-prices"
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


def providers_of(text: str) -> list[Any]:
    """The provider openai in the source text of data.py, as data.json has it. The text is parsed and never executed.

    Raises SourceError where there is something else than constructors with constant arguments.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SourceError("data.py is not Python") from None
    lists = [node.value for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.List)]
    return [_plain(call) for found in lists for call in found.elts if _id_of(call) == "openai"]


def _id_of(call: ast.expr) -> Any:
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return next((k.value.value for k in keywords if k.arg == "id" and isinstance(k.value, ast.Constant)), None)


def _plain(node: ast.expr) -> Any:
    """A constructor's call as a dict of its arguments; lists, dicts and constants as they are; None values left out."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=parts):
            return [_plain(part) for part in parts]
        case ast.Dict(keys=keys, values=values):
            return {_plain(key): _plain(value) for key, value in zip(keys, values, strict=True)}
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str(digits))]):
            return _decimal(digits)
        case ast.Call(func=ast.Attribute(attr="date"), args=[ast.Constant(y), ast.Constant(m), ast.Constant(d)]):
            return f"{y:04}-{m:02}-{d:02}"
        case ast.Call(func=ast.Name(), args=[], keywords=keywords):
            parts = {(k.arg or "").rstrip("_"): _plain(k.value) for k in keywords}
            return {name: value for name, value in parts.items() if value is not None}
    raise SourceError(f"data.py, line {node.lineno}: expected a constant")


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise SourceError(f"data.py: {digits[:40]} is not a number") from None


def read(name: str, providers: Any) -> Source:
    """The prices of OpenAI. Raises SourceError."""
    source = Source(name)
    for model in expect(_openai(providers).get("models"), list, "models"):
        model_id = model_name(expect(model, dict, "a model").get("id"))
        prices = model.get("prices")
        for place, part in enumerate(prices if isinstance(prices, list) else [{"prices": prices}]):
            _add(source, model_id, "standard", part, f"{model_id}, prices {place + 1}")
        for place, part in enumerate(expect(model.get("price_variants") or [], list, f"{model_id}, price_variants")):
            where = f"{model_id}, price_variants {place + 1}"
            for tier in _tiers(source, expect(part, dict, where), where):
                _add(source, model_id, tier, part, where)
        for kind, pattern in _patterns(model.get("match")):
            source.aliases.append({"kind": kind, "pattern": pattern, "model": model_id})
    if not source.rows:
        raise SourceError("the provider openai has no prices")
    return source


def _openai(providers: Any) -> dict[str, Any]:
    for provider in expect(providers, list, "the data"):
        if isinstance(provider, dict) and provider.get("id") == "openai":
            return provider
    raise SourceError("there is no provider openai")


def _tiers(source: Source, variant: dict[str, Any], where: str) -> list[str]:
    """The tier of a variant, in a list; empty for the standard tier, and for a condition that is no tier of ours."""
    when = expect(variant.get("when"), dict, f"{where}, when")
    if len(when) == 1:
        (condition, word), = when.items()  # fmt: skip
        if word in TIERS and (condition == "processing") == (word == "batch"):
            return [TIERS[word]]
        if (condition, word) == ("service_tier", "default"):
            return []
    source.ignore(f"prices when {when}", where.split(",", maxsplit=1)[0])
    return []


def _add(source: Source, model: str, tier: str, part: Any, where: str) -> None:
    """Add the rows of one set of prices to the source; where: its position, for messages."""
    constraint = expect(part, dict, where).get("constraint") or {}
    begins = expect(constraint, dict, f"{where}, constraint").get("start_date")
    if constraint and begins is None:
        source.ignore(f"prices while {constraint}", model)
        return
    try:
        begins = date.fromisoformat(begins).isoformat() if begins is not None else None
    except (TypeError, ValueError):
        raise SourceError(f"{where}: {begins!r} is not a date") from None
    for unit, price in expect(part.get("prices"), dict, where).items():
        if unit not in UNITS:
            source.ignore(unit, model)
            continue
        dimension, per = UNITS[unit]
        for least, amount in _bands(price, f"{where}, {unit}"):
            source.add(model, dimension, tier, amount, per, context_min_tokens=least, begins=begins)


def _bands(price: Any, where: str) -> Iterator[tuple[int, Decimal]]:
    """(input tokens above which the price holds, dollars) of a price, or of each step of a price with `tiers`."""
    if not isinstance(price, dict):
        yield 0, _dollars(price, where)
        return
    yield 0, _dollars(price.get("base"), where)
    for tier in expect(price.get("tiers"), list, f"{where}, tiers"):
        start = expect(tier, dict, f"{where}, tiers").get("start")
        if isinstance(start, bool) or not isinstance(start, Decimal | int) or start % 1 or not 0 < start < 2**31:
            raise SourceError(f"{where}: {start!r} is not a context size")
        yield int(start), _dollars(tier.get("price"), where)


def _dollars(value: Any, where: str) -> Decimal:
    """An exact price in dollars; raises SourceError for anything else."""
    found = number(value, where)
    if round(found, DECIMALS) != found:
        raise SourceError(f"{where}: {value} has more than {DECIMALS} decimals")
    return found


def _patterns(match: Any) -> Iterator[tuple[str, str]]:
    """(kind, pattern) of each name of a model. `contains` and `ends_with` are left out: they match too many models."""
    for clause, value in match.items() if isinstance(match, dict) else ():
        if clause == "or" and isinstance(value, list):
            for part in value:
                yield from _patterns(part)
        elif clause in KINDS and isinstance(value, str) and 1 <= len(value) <= 200:
            yield KINDS[clause], value if clause == "regex" else value.strip().lower()
