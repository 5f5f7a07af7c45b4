"""Answer facts: what the row of a call takes from OpenAI's answer, for all families of endpoints."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from webapp.metering import containers, images, tools
from webapp.metering.decided import decided
from webapp.metering.jsonwalk import as_object, as_objects
from webapp.metering.request import (
    BATCH_OUTPUT,
    IMAGES,
    MAX_MODEL_CHARS,
    MAX_WORD_CHARS,
    USAGE_ON_REQUEST,
    RequestFacts,
)
from webapp.metering.selected import EVERY, WHOLE, Selection
from webapp.metering.text import MAX_ID_CHARS, clean
from webapp.metering.usage import sanitise

# The members of an answer that are read here and in the modules that count tools and images (see selected.py).
MEMBERS: Selection = {
    **dict.fromkeys(
        ("id", "object", "model", "status", "background", "service_tier", "tool_usage", "svg_usage"), WHOLE
    ),
    **dict.fromkeys(
        ("seconds", "size", "duration", "memory_limit", "output_file_id", "request_counts", "endpoint"), WHOLE
    ),
    "usage": EVERY,
    "tools": [tools.TOOL],
    "output": [tools.ITEM],
    "data": [{}],
    "file": {"id": WHOLE},
}
# Lists of objects that another call made, and the members of such a list that are read.
LISTS = ("/v1/batches", "/v1/videos")
LIST_MEMBERS: Selection = {
    "data": [{name: part for name, part in MEMBERS.items() if name not in ("tools", "output", "data", "file")}]
}
# Objects that OpenAI works on after the call that made them. A GET of any other repeats usage that was billed before.
_OUTLIVING = ("response", "batch", "video")
_UNFINISHED = ("queued", "in_progress", "validating", "finalizing", "cancelling")
_SEARCH_MODEL = re.compile(r"-search-(preview|api)(-\d{4}-\d{2}-\d{2})?$")


class AnswerFacts(NamedTuple):
    """What decides the price of an answer. `usage`: OpenAI's own object, sanitised; `tools`: billed calls by dimension.

    `usage` has `completion_window` when the request asked for one, `svg_usage` when a model wrote SVG images, and
    `endpoint` when it is the sum of a batch of images, which does not tell what kinds of tokens they are.
    `pending`: the object in the answer is unfinished; its usage comes later, under the same `object_id`. Until then
    `usage` is what the request says (`completion_window`), or None.
    `complete`: the answer came to its end; False leaves the cost unknown unless there is usage.
    `containers`: those whose sessions `tools` counts, each with its dimension (see containers.used), unless too many.
    `listed`: the facts of each finished object, where the answer is a list of objects (LISTS), or of the output file of
    a batch, whose id is that in the path. `output_file_id`: of the file that a finished batch has its answers in.
    """

    model: str | None = None
    service_tier: str | None = None
    usage: dict[str, Any] | None = None
    tools: dict[str, Any] | None = None
    object_id: str | None = None
    pending: bool = False
    complete: bool = True
    listed: tuple[AnswerFacts, ...] = ()
    output_file_id: str | None = None
    containers: dict[str, str] | None = None


class AskedCall(NamedTuple):
    """The request an answer belongs to: OpenAI's path, HTTP method, facts."""

    endpoint: str
    method: str
    request: RequestFacts


def read_answer(
    call: AskedCall, answer: dict[str, Any], streamed: list[dict[str, Any]], *, complete: bool, doubtful: bool = False
) -> AnswerFacts:
    """Facts of a successful answer.

    `doubtful`: a member that decides the price is there twice or could not be read. What such an answer cost is
    unknown: it has no usage and is never complete.

    `answer`: its JSON object, or the final object of its stream; {} when there was none (binary, text, a stream that
    broke off). `streamed`: the tool items of the stream before that. `complete`: whether all of the answer was
    read, so that missing usage is not just cut off.
    """
    model, kind = clean(answer.get("model"), MAX_MODEL_CHARS), answer.get("object")
    pending = kind in _OUTLIVING and answer.get("status") in _UNFINISHED
    usage, calls, ran_in, complete = None, None, None, complete and not doubtful
    if not pending and not doubtful and (call.method != "GET" or kind in _OUTLIVING):
        usage, calls, ran_in = usage_of(call, answer, streamed, model)
        if usage is None and complete:
            usage, calls, model = decided(call.endpoint, call.request, answer, model)
    window = call.request.details.get("completion_window")
    if window and (pending or usage is not None):
        usage = {**(usage or {}), "completion_window": window}
    return AnswerFacts(
        model=model,
        service_tier=clean(answer.get("service_tier"), MAX_WORD_CHARS),
        usage=usage,
        tools=calls,
        object_id=clean(_made(answer).get("id"), MAX_ID_CHARS),
        pending=pending,
        complete=complete,
        listed=_listed(call, answer) if complete else (),
        output_file_id=clean(answer.get("output_file_id"), MAX_ID_CHARS) if kind == "batch" else None,
        containers=ran_in if ran_in and len(ran_in) <= containers.MAX_TOLD else None,
    )


def members_of(endpoint: str, method: str) -> Selection:
    """The members of an answer that read_answer needs: OpenAI's path and the HTTP method of the call."""
    return LIST_MEMBERS if method == "GET" and endpoint in LISTS else MEMBERS


def _listed(call: AskedCall, answer: dict[str, Any]) -> tuple[AnswerFacts, ...]:
    """The facts of the finished objects in a list, or what the output file of a batch says; () for any other answer."""
    if call.endpoint == BATCH_OUTPUT:
        return (AnswerFacts(usage=answer),) if answer else ()
    items = answer.get("data")
    if call.method != "GET" or call.endpoint not in LISTS or not isinstance(items, list):
        return ()
    one = AskedCall("", "GET", call.request)
    read = (read_answer(one, item, [], complete=True) for item in items if as_object(item).get("object") in _OUTLIVING)
    return tuple(facts for facts in read if facts.object_id and not facts.pending)


def _made(answer: dict[str, Any]) -> dict[str, Any]:
    """The object the call leaves behind: the answer itself, or the file that a completed upload has become."""
    file = answer.get("file")
    return file if answer.get("object") == "upload" and isinstance(file, dict) else answer


def usage_of(
    call: AskedCall, answer: dict[str, Any], streamed: list[dict[str, Any]], model: str | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, dict[str, str] | None]:
    """The usage in the answer, the billed tool calls beside it and their containers; None where usage is missing."""
    if answer.get("object") == "batch" and _nothing_ran(answer):
        return {"requests": 0}, None, None
    raw, ran_in = answer.get("usage"), None
    if not isinstance(raw, dict) or (_answered(answer) and not images.any_count(raw)):
        return None, None, None
    if answer.get("object") == "response":
        items = tools.items_of(answer, streamed)
        usage = sanitise(_with(raw, images.image_usage(answer, items), images.svg_usage(item["svg"] for item in items)))
        memory = call.request.details.get("memory", {})
        ran_in = containers.used(as_objects(answer.get("tools")), items, memory)
        calls = tools.count(answer, items, ran_in)
    else:
        usage = sanitise(_with(raw, None, _svg_beside(answer)))
        calls = _search_fee(call, model)
        if usage and answer.get("object") == "batch" and answer.get("endpoint") in IMAGES:
            usage["endpoint"] = answer["endpoint"]
    return (usage, calls, ran_in) if usage is not None else (None, None, None)


def _answered(batch: dict[str, Any]) -> bool:
    """Whether requests of a batch were answered, so that usage of zeros is none; False for any other object."""
    return images.any_count(as_object(batch.get("request_counts")).get("completed"))


def _nothing_ran(batch: dict[str, Any]) -> bool:
    """Whether a batch has ended without running a request: OpenAI refused its file, or says itself that nothing ran.

    `failed` means that the file is invalid, so there counts may be missing; a cancelled or expired batch must say 0.
    """
    counts, usage = as_object(batch.get("request_counts")), as_object(batch.get("usage"))
    said = [counts.get("completed"), usage.get("input_tokens"), usage.get("output_tokens")]
    if batch.get("status") == "failed":
        said = [count for count in (*said, counts.get("total")) if count is not None]
    elif batch.get("status") not in ("cancelled", "expired"):
        return False
    return not batch.get("output_file_id") and all(str(count) == "0" for count in said)


def _with(usage: dict[str, Any], image_tool: dict[str, Any] | None, svg: Any) -> dict[str, Any]:
    """A usage object with those of the other models that worked on the answer beside its own counts."""
    beside = {name: block for name, block in (("tool_usage", image_tool), ("svg_usage", svg)) if block}
    return {**usage, **beside} if beside else usage


def _svg_beside(answer: dict[str, Any]) -> Any:
    """The `svg_usage` of an images answer: an object, or the list of those in its stream."""
    block = answer.get("svg_usage")
    if block is None:
        return None
    return images.svg_usage(images.svg_counts(one) for one in (block if isinstance(block, list) else [block]))


def _search_fee(call: AskedCall, model: str | None) -> dict[str, Any] | None:
    """One search for every answer of a chat model that always searches the web."""
    served = model or call.request.model or ""
    match = _SEARCH_MODEL.search(served) if "-search-" in served and call.endpoint in USAGE_ON_REQUEST else None
    return {f"web_search{'_preview' if match[1] == 'preview' else ''}_calls": 1} if match else None
