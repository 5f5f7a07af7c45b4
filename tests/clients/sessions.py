"""OpenAI's WebSocket sessions as the clients of `make prove-clients` meet them: Responses, and Realtime with audio."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from websockets.sync.server import ServerConnection

if TYPE_CHECKING:
    from clients.openai_stand_in import Answer

HTTP, WEBSOCKET, PREWARM, REALTIME = "HTTP", "WebSocket", "prewarm", "Realtime"
AUDIO = base64.b64encode(bytes(480)).decode()  # 10 ms of silence
Step = tuple[str, dict[str, Any]]
Ask = Callable[[dict[str, Any], str], "Answer"]
Steps = Callable[[dict[str, Any], "Answer"], Iterator[Step]]


def responses(ask: Ask, steps: Steps, ws: ServerConnection) -> None:
    """A session at /responses. ask: takes a request and its way; steps: the events of its answer."""
    for message in ws:
        asked = json.loads(message)
        assert asked["type"] == "response.create", asked
        answer = ask(asked, PREWARM if asked.get("generate") is False else WEBSOCKET)
        lane = {"stream_id": asked["stream_id"]} if "stream_id" in asked else {}
        for number, (kind, fields) in enumerate(steps(asked, answer)):
            ws.send(json.dumps({"type": kind, "sequence_number": number, **fields, **lane}))


def realtime(ask: Ask, ws: ServerConnection) -> None:
    """A session at /realtime: what the client says is answered when it asks for a response."""
    model = parse_qs(urlsplit(ws.request.path).query)["model"][0]
    session = {"id": "sess_1", "object": "realtime.session", "type": "realtime", "model": model}
    send(ws, ("session.created", {"session": session}))
    for message in ws:
        event = json.loads(message)
        match event["type"]:
            case "session.update":
                session |= {name: value for name, value in event["session"].items() if name != "model"}
                send(ws, ("session.updated", {"session": session}))
            case "conversation.item.create":
                said = {"id": "item_said", "object": "realtime.item", "status": "completed"} | event["item"]
                send(ws, ("conversation.item.added", {"item": said, "previous_item_id": None}))
            case "response.create":
                send(ws, *realtime_steps(ask({"model": model}, REALTIME)))


def send(ws: ServerConnection, *steps: Step) -> None:
    for kind, fields in steps:
        ws.send(json.dumps({"type": kind, "event_id": f"event_{kind}", **fields}))


def realtime_usage(answer: Answer) -> dict[str, Any]:
    given, cached, made = answer.tokens
    heard, heard_cached, spoken = answer.audio
    parts = {"text_tokens": cached - heard_cached, "audio_tokens": heard_cached, "image_tokens": 0}
    return {
        "total_tokens": given + made, "input_tokens": given, "output_tokens": made,
        "input_token_details": {"text_tokens": given - heard, "audio_tokens": heard, "image_tokens": 0,
                                "cached_tokens": cached, "cached_tokens_details": parts},
        "output_token_details": {"text_tokens": made - spoken, "audio_tokens": spoken},
    }  # fmt: skip


def realtime_steps(answer: Answer) -> Iterator[Step]:
    """The events of a spoken response: audio and its transcript."""
    response = {"object": "realtime.response", "id": f"resp_{answer.number}", "status": "in_progress", "output": [],
                "status_details": None, "usage": None, "output_modalities": ["audio"]}  # fmt: skip
    part = {"type": "output_audio", "transcript": answer.text}
    item = {"id": f"item_{answer.number}", "object": "realtime.item", "type": "message", "role": "assistant",
            "status": "completed", "content": [part]}  # fmt: skip
    begun = item | {"status": "in_progress", "content": []}
    place = {"response_id": response["id"], "item_id": item["id"], "output_index": 0, "content_index": 0}
    spoken = {"response_id": response["id"], "output_index": 0}
    yield "response.created", {"response": response}
    yield "response.output_item.added", {**spoken, "item": begun}
    yield "conversation.item.added", {"item": begun, "previous_item_id": "item_said"}
    yield "response.content_part.added", {**place, "part": {"type": "audio", "transcript": ""}}
    yield "response.output_audio_transcript.delta", {**place, "delta": answer.text}
    yield "response.output_audio.delta", {**place, "delta": AUDIO}
    yield "response.output_audio.done", place
    yield "response.output_audio_transcript.done", {**place, "transcript": answer.text}
    yield "response.content_part.done", {**place, "part": {"type": "audio", "transcript": answer.text}}
    yield "response.output_item.done", {**spoken, "item": item}
    yield "response.done", {"response": response | {
        "status": "completed", "output": [item], "usage": realtime_usage(answer),
    }}  # fmt: skip
