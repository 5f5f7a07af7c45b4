"""Answer facts: what the row of a call takes from OpenAI's answer, for all families of endpoints."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from webapp.metering import tools
from webapp.metering.request import IMAGES, MAX_MODEL_CHARS, MAX_WORD_CHARS, SPEECH, USAGE_ON_REQUEST, RequestFacts
from webapp.metering.text import clean
from webapp.metering.usage import sanitise

MAX_ID_CHARS = 200
TRANSLATIONS = "/v1/audio/translations"

# Objects that OpenAI works on after the call that made them. A GET of any other repeats usage that was billed before.
_OUTLIVING = ("response", "batch", "video")
_UNFINISHED = ("queued", "in_progress", "validating", "finalizing", "cancelling")
_SEARCH_MODEL = re.compile(r"-search-(preview|api)(-\d{4}-\d{2}-\d{2})?$")
_DALL_E_DEFAULT = "dall-e-2"  # what OpenAI runs when an images request names no model


class AnswerFacts(NamedTuple):
    """What decides the price of an answer. `usage`: OpenAI's own object, sanitised; `tools`: billed calls by dimension.

    `pending`: the object in the answer is unfinished; its usage comes later, under the same `object_id`.
    `complete`: the answer came to its end; False leaves the cost unknown unless there is usage.
    """

    model: str | None = None
    service_tier: str | None = None
    usage: dict[str, Any] | None = None
    tools: dict[str, Any] | None = None
    object_id: str | None = None
    pending: bool = False
    complete: bool = True


class AskedCall(NamedTuple):
    """The request an answer belongs to: OpenAI's path, HTTP method, facts."""

    endpoint: str
    method: str
    request: RequestFacts


def read_answer(
    call: AskedCall, answer: dict[str, Any], streamed: list[dict[str, Any]], *, complete: bool
) -> AnswerFacts:
    """Facts of a successful answer.

    `answer`: its JSON object, or the final object of its stream; {} when there was none (binary, text, a stream that
    broke off). `streamed`: the tool items of the stream before that. `complete`: whether all of the answer was
    read, so that missing usage is not just cut off.
    """
    model, kind = clean(answer.get("model"), MAX_MODEL_CHARS), answer.get("object")
    pending = kind in _OUTLIVING and answer.get("status") in _UNFINISHED
    usage, calls = None, None
    if not pending and (call.method != "GET" or kind in _OUTLIVING):
        usage, calls = _usage(call, answer, streamed, model)
        if usage is None and complete:
            usage, calls, model = _decided_by_request(call, answer, model)
    return AnswerFacts(
        model=model,
        service_tier=clean(answer.get("service_tier"), MAX_WORD_CHARS),
        usage=usage,
        tools=calls,
        object_id=clean(_made(answer).get("id"), MAX_ID_CHARS),
        pending=pending,
        complete=complete,
    )


def _made(answer: dict[str, Any]) -> dict[str, Any]:
    """The object the call leaves behind: the answer itself, or the file that a completed upload has become."""
    file = answer.get("file")
    return file if answer.get("object") == "upload" and isinstance(file, dict) else answer


Metered = tuple[dict[str, Any] | None, dict[str, Any] | None]


def _usage(call: AskedCall, answer: dict[str, Any], streamed: list[dict[str, Any]], model: str | None) -> Metered:
    """The usage in the answer and the billed tool calls beside it; no tool calls where usage is missing."""
    raw = answer.get("usage")
    if not isinstance(raw, dict):
        return None, None
    is_response = answer.get("object") == "response"
    images = tools.image_usage(answer, streamed) if is_response else None
    usage = sanitise({**raw, "tool_usage": images} if images else raw)
    if usage is None:
        return None, None
    return usage, tools.count(answer, streamed) if is_response else _search_fee(call, model)


def _search_fee(call: AskedCall, model: str | None) -> dict[str, Any] | None:
    """One search for every answer of a chat model that always searches the web."""
    served = model or call.request.model or ""
    match = _SEARCH_MODEL.search(served) if "-search-" in served and call.endpoint in USAGE_ON_REQUEST else None
    return {f"web_search{'_preview' if match[1] == 'preview' else ''}_calls": 1} if match else None


def _decided_by_request(
    call: AskedCall, answer: dict[str, Any], model: str | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, str | None]:
    """Usage, tools and model of an answer without usage, whose price a field of the request or the answer decides."""
    request = call.request
    asked = request.model or ""
    if answer.get("object") == "video" and answer.get("status") == "completed":
        return *_video(answer), model
    if call.endpoint == SPEECH and asked.startswith("tts-1") and "characters" in request.details:
        return {"characters": request.details["characters"]}, None, model
    if call.endpoint in IMAGES and (asked or _DALL_E_DEFAULT).startswith("dall-e"):
        return _dall_e(request, answer), None, model or asked or _DALL_E_DEFAULT
    if call.endpoint == TRANSLATIONS:
        return _duration(answer), None, model
    return None, None, model


def _dall_e(request: RequestFacts, answer: dict[str, Any]) -> dict[str, Any] | None:
    """Images made, and the size and quality they are priced by."""
    made = answer.get("data")
    if not isinstance(made, list):
        return None
    return {"size": "1024x1024", "quality": "standard", **request.details, "images": len(made)}


def _video(answer: dict[str, Any]) -> Metered:
    seconds = str(answer.get("seconds"))
    size = clean(answer.get("size"), MAX_WORD_CHARS)
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 9):
        return None, None
    return {"size": size} if size else None, {"video_seconds": int(seconds)}


def _duration(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Seconds of a verbose translation, rounded up as OpenAI does in the usage of transcriptions."""
    try:
        seconds = math.ceil(float(answer["duration"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return {"type": "duration", "seconds": seconds} if seconds >= 0 else None
