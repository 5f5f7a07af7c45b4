"""Reads OpenAI's prices in litellm's cost map: a JSON object that maps a model's name to its fields.

A field's name is built of a unit (`input_cost_per_token`), then perhaps a size of the context above which it holds
(`_above_272k_tokens`), then perhaps a tier (`_batches`). Prices are dollars for one unit, written by a program as
floats: `0.000833333333333` a second is $3 an hour. So each price is multiplied out to our quantity and rounded half up
to 10 decimals, the decimals of the price list; the digits that rounding removes are those that a float cannot hold.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
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

PACKAGE = "litellm"
# Unit of the source → our dimension, and the quantity its price is for. A longer name stands before its beginning.
UNITS = {
    "cache_creation_input_token_cost_above_12hr": ("cache_write_12h", MILLION),
    "cache_creation_input_token_cost": ("cache_write", MILLION),
    "cache_read_input_audio_token_cost": ("cached_audio", MILLION),
    "cache_read_input_image_token_cost": ("cached_image", MILLION),
    "cache_read_input_token_cost": ("cached_text", MILLION),
    "input_cost_per_audio_token": ("input_audio", MILLION),
    "output_cost_per_audio_token": ("output_audio", MILLION),
    "input_cost_per_image_token": ("input_image", MILLION),
    "output_cost_per_image_token": ("output_image", MILLION),
    "input_cost_per_character": ("input_characters", MILLION),
    "input_cost_per_second": ("audio_seconds", HOUR),
    "output_cost_per_video_per_second": ("video_seconds", 1),
    "input_cost_per_token": ("input_text", MILLION),
    "output_cost_per_token": ("output_text", MILLION),
}
TIERS = {"": "standard", "_batches": "batch", "_flex": "flex", "_priority": "priority", "_ultrafast": "ultrafast"}
FIELD = re.compile(
    f"({'|'.join(UNITS)})(?:_above_([1-9][0-9]{{0,5}})k_tokens)?(_batches|_flex|_priority|_ultrafast|_decisions)?"
)
ONLY_INPUT = ("embedding", "moderation")
SEARCH = "search_context_cost_per_query"
UPLIFTS = ("regional_processing_uplift_multiplier_eu", "regional_processing_uplift_multiplier_us",
           "fedramp_uplift_multiplier")  # fmt: skip


def read(name: str, models: Any) -> Source:
    """The prices of OpenAI's models. Raises SourceError."""
    source = Source(name)
    for key, fields in expect(models, dict, "the data").items():
        if isinstance(fields, dict) and fields.get("litellm_provider") == "openai":
            _add_model(source, model_name(key), fields)
    if not source.rows:
        raise SourceError("the provider openai has no prices")
    return source


def _add_model(source: Source, model: str, fields: dict[str, Any]) -> None:
    if "/" in model.removeprefix("openai/"):  # such as high/1024-x-1024/gpt-image-1: an estimate for one image
        source.ignore("estimates for one image", model)
        return
    for field, value in fields.items():
        if fields.get("mode") in ONLY_INPUT and field.startswith("output_cost"):
            continue  # 0 dollars for something that there never is
        if match := FIELD.fullmatch(field):
            _add(source, model.removeprefix("openai/"), match, value)
        elif field == SEARCH:
            _add_searches(source, model, value)
        elif field in UPLIFTS:
            source.ignore(f"{field} (the rows of regional_processing are made by hand)", model)
        elif "cost" in field:
            source.ignore(field, model)


def _add(source: Source, model: str, match: re.Match[str], value: Any) -> None:
    """One price of a field whose name FIELD has matched. The prices of /decisions have a model of their own."""
    unit, thousands, suffix = match.groups()
    dimension, per = UNITS[unit]
    if suffix == "_decisions":
        model, suffix = f"{model}-decisions", ""
    price = _dollars(value, per, f"{model}, {match.group()}")
    source.add(model, dimension, TIERS[suffix or ""], price, per, context_min_tokens=int(thousands or 0) * THOUSAND)


def _dollars(value: Any, per: int, where: str) -> Decimal:
    exact = Context(prec=60).multiply(number(value, where), Decimal(per))
    return number(exact.quantize(Decimal(1).scaleb(-DECIMALS), ROUND_HALF_UP), where)


def _add_searches(source: Source, model: str, value: Any) -> None:
    """The price of a search with the tool web_search_preview, where it is the same for every size of the context.

    The older tool has the price that depends on the model; the price of the newer one is in no field of the source.
    """
    prices = set(expect(value, dict, f"{model}, {SEARCH}").values())
    if len(prices) == 1:
        price = _dollars(prices.pop(), THOUSAND, f"{model}, {SEARCH}")
        source.add(model, "web_search_preview_calls", "standard", price, THOUSAND)
    else:
        source.ignore(f"{SEARCH} that differs by size", model)
