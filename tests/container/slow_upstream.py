"""An OpenAI that streams one event and goes on when it is told to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEAD = {"id": "chatcmpl-slow", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
FIRST = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "one"}, "finish_reason": None}]}
REST = (
    {"choices": [{"index": 0, "delta": {"content": " two"}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
)


class SlowUpstream:
    """``with SlowUpstream() as upstream:``; upstream.port; ``go_on.set()`` lets a stream that has begun end.

    events: how many events the client of a whole stream sees, the last one [DONE].
    """

    events = 2 + len(REST)

    def __enter__(self) -> SlowUpstream:
        self.go_on = threading.Event()
        self.server = ThreadingHTTPServer(("0.0.0.0", 0), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        go_on = self.go_on

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.event(json.dumps(HEAD | FIRST))
                go_on.wait(60)
                for part in (*REST, {"choices": [], "usage": USAGE}):
                    self.event(json.dumps(HEAD | part))
                self.event("[DONE]")

            def event(self, text: str) -> None:
                self.wfile.write(f"data: {text}\n\n".encode())
                self.wfile.flush()

            def log_message(self, *words: Any) -> None:
                """Nothing: the proof's own lines are enough."""

        return Handler
