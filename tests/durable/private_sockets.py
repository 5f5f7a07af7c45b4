"""What `make prove-private` sends over WebSocket: words in the frames of both sides, in handshakes and in closes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import fake_openai
from fake_replies import raw, reply_json
from fake_socket import ServerConnection
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

if TYPE_CHECKING:
    from durable.private import Routes

USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
SECONDS = 10


class Sockets:
    """Sessions of somebody who has a key, see private.Routes."""

    def __init__(self, routes: Routes) -> None:
        self._routes, self._word, self._upstream = routes, routes.words.word, routes.upstream

    def talk(self) -> None:
        """Sessions over WebSocket, in success and in failure."""
        self._responses()
        self._realtime()
        self._live()
        self._handshakes()
        self._broken()
        query = "select count(*) as n from public.usage_logs where session_id is not null and state = 'settled'"
        assert self._routes.product.rows(query)[0]["n"] >= 5, "few responses were settled: little was tried"

    def spooled(self) -> None:
        """A response over WebSocket whose settle finds the database frozen."""
        product, frozen = self._routes.product, []

        def answers(ws: ServerConnection) -> None:
            ws.recv()
            frozen.extend(product.postgres())
            send_signal(frozen, signal.SIGSTOP)
            ws.send(json.dumps(self._completed("resp_frozen")))

        try:
            self._session("/responses", answers, [self._create()], 1)
            spool = product.home / "spool"
            assert any(file.stat().st_size for file in spool.glob("*.spool")), "nothing was spooled"
            self._routes.look("spool", spool)
        finally:
            send_signal(frozen, signal.SIGCONT)

    def _session(
        self,
        path: str,
        script: Callable[[ServerConnection], None] | None,
        frames: Iterable[str | bytes],
        answers: int = 0,
        **options: Any,
    ) -> None:
        """One session: send the frames, read so many answers, ping and close it, with words wherever one fits."""
        word = self._word
        if script:
            self._upstream.script("/v1" + path, script)
        url = f"{self._routes.url.replace('http', 'ws')}/api/v1/proxy{path}?q={word('query')}"
        headers = {"X-Note": word("header"), "Cookie": f"a={word('cookie')}"}
        headers["x-spendai-tags"] = f"team={self._routes.words.kept('tag')}"
        if "subprotocols" not in options:
            headers["Authorization"] = f"Bearer {self._routes.key}"
        with suppress(WebSocketException, OSError, EOFError):
            ws = connect(url, additional_headers=headers, compression=None, close_timeout=SECONDS, **options)
            with ws:
                ws.ping(word("ping")[:30]).wait(SECONDS)
                for frame in frames:
                    ws.send(frame)
                for _ in range(answers):
                    ws.recv(timeout=SECONDS)
                ws.close(3000, word("reason"))

    def _create(self) -> str:
        word = self._word
        tool = {"type": "function", "name": word("function"), "description": word("description"), "parameters": {}}
        return json.dumps({
            "type": "response.create", "model": "gpt-4o-mini", "input": word("prompt"), "tools": [tool],
            "instructions": word("system"), "metadata": {"note": word("metadata")}, "stream_id": word("lane"),
            "user": self._routes.words.kept("end user"),
        })  # fmt: skip

    def _completed(self, name: str) -> dict[str, Any]:
        word = self._word
        said = [{"type": "message", "content": [{"type": "output_text", "text": word("answer")}]}]
        said.append({"type": "function_call", "name": word("called"), "arguments": word("arguments")})
        response = {"id": name, "object": "response", "model": "gpt-4o-mini", "output": said, "usage": USAGE}
        return {"type": "response.completed", "response": response}

    def _responses(self) -> None:
        """Responses: an answer, errors, text that is no JSON, a message in fragments, a binary one."""
        word = self._word

        def script(ws: ServerConnection) -> None:
            ws.recv()
            ws.ping(word("ping of OpenAI's"))
            ws.send(json.dumps({"type": "response.output_text.delta", "delta": word("delta")}))
            ws.send(json.dumps(self._completed("resp_a")))
            ws.recv()
            error = {"code": word("error code"), "message": word("error text"), "param": word("param")}
            ws.send(json.dumps({"type": "error", "status": 400, "error": error}))
            ws.send([word("fragment"), word("fragment")])
            ws.send(word("binary").encode())
            ws.close(4000, word("reason of OpenAI's"))

        odd = [word("no json"), '{"a": "' + word("half json"), json.dumps({"type": "x", "file_id": word("file id")})]
        odd.append(json.dumps({"type": word("type"), "input": word("large") * 5000}))
        refused = json.dumps({"type": "response.create", "previous_response_id": word("previous")})
        self._session("/responses", script, [*odd, refused, self._create(), self._create()], 8)

    def _realtime(self) -> None:
        """Realtime: instructions, audio, transcripts."""
        word = self._word
        session = {"id": "sess_1", "model": "gpt-realtime", "instructions": word("instructions")}
        session["audio"] = {"input": {"transcription": {"model": "whisper-1", "prompt": word("transcription prompt")}}}
        transcript = "conversation.item.input_audio_transcription.completed"

        def script(ws: ServerConnection) -> None:
            ws.recv()
            for event in (
                {"type": "session.created", "session": session},
                {"type": transcript, "item_id": "item_1", "content_index": 0, "transcript": word("transcript"),
                 "usage": {"type": "duration", "seconds": 3}},
                {"type": "response.created", "response": {"id": "resp_r"}},
                {"type": "response.output_audio.delta", "delta": word("audio of the answer")},
                {"type": "response.done", "response": {"id": "resp_r", "status": "completed", "usage": USAGE,
                                                       "output": [{"content": [{"transcript": word("spoken")}]}]}},
                {"type": "error", "error": {"message": word("realtime error"), "event_id": word("event")}},
            ):  # fmt: skip
                ws.send(json.dumps(event))
            ws.recv()

        said = [{"type": "input_audio_buffer.append", "audio": word("audio")},
                {"type": "session.update", "session": {"instructions": word("new instructions")}}]  # fmt: skip
        keys = [
            "realtime",
            f"openai-insecure-api-key.{self._routes.key}",
            f"openai-organization.{word('organization')}",
        ]
        self._session("/realtime", script, map(json.dumps, said), 6, subprotocols=keys)

    def _live(self) -> None:
        """Live: the start, a nested response."""
        word = self._word
        nested = {"type": "response.event", "delegation_id": word("delegation"), "event": self._completed("resp_l")}

        def script(ws: ServerConnection) -> None:
            ws.recv()
            ws.send(json.dumps({"type": "session.started", "session": {"id": "live_1", "model": "gpt-live-1"}}))
            ws.send(json.dumps(nested))
            ws.send(json.dumps({"type": "session.closed", "usage": {"seconds": 9}, "note": word("closing note")}))
            ws.recv()

        start = {"type": "session.start", "session": {"model": "gpt-live-1", "instructions": word("live instructions")}}
        self._session("/live/sessions", script, [json.dumps(start)], 3)

    def _handshakes(self) -> None:
        """Upgrades that are refused, by SpendAI or by OpenAI."""
        word = self._word
        self._session("/realtime", None, [], subprotocols=[f"openai-insecure-api-key.{word('unknown key')}"])
        self._session("/realtime", None, [], subprotocols=["realtime", word("subprotocol")])
        self._session(f"/live/sessions/{word('session')}/fork", None, [])
        told = fake_openai.error(word("refusal"), word("refusal code"))
        for answer in (reply_json(told, 401), reply_json(told, 429), raw(word("garbage").encode() + b"\r\n\r\n")):
            self._upstream.queue("/v1/responses", answer)
            self._session("/responses", None, [])

    def _broken(self) -> None:
        """Bytes that are no frames, from OpenAI and from the client; a connection that breaks in a message."""
        begun = Frame(Opcode.TEXT, self._word("half a frame").encode() * 9).serialize(mask=False)[:200]
        for data in (self._word("no frame").encode(), b"\xff" + self._word("garbage frame").encode(), begun):

            def script(ws: ServerConnection, data: bytes = data) -> None:
                ws.recv()
                ws.socket.sendall(data)
                ws.socket.shutdown(2)

            self._session("/responses", script, [self._create()], 1)

        def hears(ws: ServerConnection) -> None:
            with suppress(ConnectionClosed):
                ws.recv()

        self._upstream.script("/v1/responses", hears)
        url = f"{self._routes.url.replace('http', 'ws')}/api/v1/proxy/responses"
        headers = {"Authorization": f"Bearer {self._routes.key}"}
        with suppress(WebSocketException, OSError), connect(url, additional_headers=headers) as ws:
            ws.socket.sendall(b"\xff" + self._word("client's garbage").encode())
            ws.recv(timeout=SECONDS)


def send_signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
