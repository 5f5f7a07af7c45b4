"""Usage of answers that report none, where the request, its files or another part of the answer decide the price.

Usage with `at_least` is a part of what OpenAI bills: the call has no cost, but a bound below it (see app.price_call).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from webapp.metering.containers import CONTAINERS, dimension, memory
from webapp.metering.request import IMAGES, MAX_WORD_CHARS, SPEECH, TRANSCRIPTS, RequestFacts
from webapp.metering.text import clean

TRANSLATIONS = "/v1/audio/translations"
_SECONDS = re.compile(r"[0-9]{1,32}(\.[0-9]{1,32})?([eE][+-]?[0-9]{1,2})?")
Metered = tuple[dict[str, Any] | None, dict[str, Any] | None]


def decided(
    endpoint: str, request: RequestFacts, answer: dict[str, Any], model: str | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, str | None]:
    """Usage, tools and model of an answer without usage. endpoint: OpenAI's path; model: what the answer names."""
    asked = request.model or ""
    if answer.get("object") == "video" and answer.get("status") == "completed":
        return *_video(answer), model
    if endpoint == SPEECH:
        return _spoken(asked, request), None, model
    if endpoint in TRANSCRIPTS and (endpoint == TRANSLATIONS or asked.startswith("whisper")):
        return _heard(request, answer), None, model
    if endpoint in IMAGES and (not asked or asked.startswith("dall-e")):
        return _pictures(request, answer), None, model or request.model
    if endpoint == CONTAINERS and isinstance(answer.get("id"), str):
        limit = memory(answer.get("memory_limit")) or request.details.get("memory_limit")
        return None, {dimension(limit): 1}, model
    return None, None, model


def _spoken(asked: str, request: RequestFacts) -> dict[str, Any] | None:
    """Characters of the text to speak, by which only tts-1 is billed; the others bill tokens, which nobody reports."""
    if "characters" not in request.details:
        return None
    usage = {"characters": request.details["characters"]}
    return usage if asked.startswith("tts-1") else {**usage, "at_least": True}


def _heard(request: RequestFacts, answer: dict[str, Any]) -> dict[str, Any] | None:
    """Seconds of a recording, by which Whisper is billed, rounded up as OpenAI does in the usage of transcriptions.

    The answer or the header of the uploaded file (`source`) says them. Subtitles say at least how long it was.
    """
    if (seconds := _duration(answer)) is not None:
        return {"type": "duration", "seconds": seconds}
    if seconds := request.details.get("seconds"):
        return {"type": "duration", "seconds": seconds, "source": "upload"}
    if last := answer.get("last_cue_ms"):
        return {"type": "duration", "seconds": -(-last // 1000), "at_least": True}
    return None


def _duration(answer: dict[str, Any]) -> int | None:
    """The `duration` of a verbose answer in whole seconds, rounded up exactly; None for what is no such number."""
    said = answer.get("duration")  # a jsonwalk.Number, or a text with one
    return math.ceil(Decimal(said)) if isinstance(said, str) and _SECONDS.fullmatch(said) else None


def _pictures(request: RequestFacts, answer: dict[str, Any]) -> dict[str, Any] | None:
    """Images made, and the size and quality they are priced by; only those of DALL·E have known defaults."""
    made = answer.get("data")
    if not isinstance(made, list):
        return None
    defaults = {"size": "1024x1024", "quality": "standard"} if request.model else {}
    return {**defaults, **request.details, "images": len(made)}


def _video(answer: dict[str, Any]) -> Metered:
    seconds = str(answer.get("seconds"))
    size = clean(answer.get("size"), MAX_WORD_CHARS)
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 9):
        return None, None
    return {"size": size} if size else None, {"video_seconds": int(seconds)}
