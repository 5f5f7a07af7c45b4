"""The upstream of the proof, a process of its own that nobody kills: writes down every call it gets, before it answers.

Run as a program: ``python -m durable.upstream SEED JOURNAL``; prints its base URL and serves until it is ended.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections import deque
from uuid import uuid4

import fake_openai
from durable.plan import Plan, plan
from fake_replies import Reply, cut_off, hang, reply_json, reply_sse, reset, truncate
from fake_upstream import FakeUpstream, Request
from websockets.sync.server import ServerConnection


def answer(asked: dict, what: Plan) -> Reply:
    """The answer a plan wants, in the form the request asks for."""
    if what.kind in ("500", "429"):
        return reply_json(fake_openai.error("planned"), int(what.kind), [("retry-after", "1")])
    if what.kind in ("reset", "stall"):
        return reset() if what.kind == "reset" else hang()
    usage = {"prompt_tokens": what.tokens_in, "completion_tokens": what.tokens_out}
    usage["total_tokens"] = what.tokens_in + what.tokens_out
    if asked.get("stream"):
        events = [event.replace(*_usage(usage)) for event in fake_openai.chat_events(asked)]
        if what.kind == "good":
            return reply_sse(events, what.pause)
        return cut_off(events[:-1] if what.kind == "late" else events[:4])
    body = fake_openai.json.dumps(fake_openai.chat(asked) | {"usage": usage}).encode()
    if what.kind == "late":
        return truncate(body)
    return truncate(body[:200]) if what.kind == "cut" else reply_json(fake_openai.chat(asked) | {"usage": usage})


def _usage(usage: dict) -> tuple[bytes, bytes]:
    dumps = fake_openai.json.dumps
    return tuple(dumps(each, separators=(",", ":")).encode() for each in (fake_openai.CHAT_USAGE, usage))


def respond(ws: ServerConnection, asked: dict, what: Plan) -> None:
    """Events of one response over WebSocket, as a plan wants them. Raises ConnectionAbortedError to break off."""
    more = {"stream_id": asked["stream_id"]} if "stream_id" in asked else {}
    if what.kind in ("500", "429"):
        told = {"type": "error", "status": int(what.kind), "error": {"code": "planned", "message": "planned"}}
        return ws.send(json.dumps(told | more))
    if what.kind in ("reset", "stall"):
        if what.kind == "stall":
            deque(ws, maxlen=0)  # says nothing more, until the client leaves
        raise ConnectionAbortedError
    response = {"id": f"resp_{uuid4().hex}", "object": "response", "model": asked["model"], "status": "in_progress"}
    ws.send(json.dumps({"type": "response.created", "response": response} | more))
    for _ in range(3):
        ws.send(json.dumps({"type": "response.output_text.delta", "delta": "Hello"} | more))
        time.sleep(what.pause)
    if what.kind != "cut":
        usage = {"input_tokens": what.tokens_in, "output_tokens": what.tokens_out}
        usage |= {"total_tokens": sum(usage.values())}
        done = response | {"status": "completed", "usage": usage}
        ws.send(json.dumps({"type": "response.completed", "response": done} | more))
    if what.kind != "good":
        raise ConnectionAbortedError


def main() -> None:
    seed, journal = int(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def route(request: Request) -> Reply:
        asked = request.json()
        os.write(journal, asked["user"].encode() + b"\n")
        upstream.requests.clear()  # the journal is the file
        return answer(asked, plan(seed, asked["user"]))

    def session(ws: ServerConnection) -> None:
        upstream.requests.clear()
        try:
            for text in ws:
                asked = json.loads(text)
                os.write(journal, asked["user"].encode() + b"\n")
                respond(ws, asked, plan(seed, asked["user"]))
        except ConnectionAbortedError:
            ws.socket.shutdown(socket.SHUT_RDWR)

    with FakeUpstream(route, session) as upstream:
        print(upstream.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
