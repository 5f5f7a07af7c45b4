"""One gunicorn for bench/server.py: a trivial application behind all overrides, none, or all but one.

    python bench/server_variants.py VARIANT WORKERS FD

VARIANT is a key of ``VARIANTS``, FD an inherited listening socket. Runs until SIGTERM.
"""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from gevent.server import StreamServer
from gunicorn.app.base import BaseApplication
from gunicorn.http import wsgi
from gunicorn.http.message import Request
from gunicorn.workers.ggevent import GeventWorker

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from webapp.server import worker
from webapp.server.shares import Share

WORK = 0.001  # seconds of processor time that /work takes
EVENT = b'data: {"choices":[{"delta":{"content":"word"},"index":0}]}\n\n'
ANSWER = b'{"choices":[{"message":{"content":"' + b"word " * 190 + b'"}}]}'
HEADERS = [
    ("x-request-id", "req_8d1f0e6a4b7c4f6f9f3b1d2c5e7a9b0c"), ("openai-version", "2020-10-01"),
    ("openai-organization", "example"), ("openai-processing-ms", "412"), ("x-envoy-upstream-service-time", "430"),
    ("x-ratelimit-limit-requests", "10000"), ("x-ratelimit-limit-tokens", "200000"),
    ("x-ratelimit-remaining-requests", "9999"), ("x-ratelimit-remaining-tokens", "199000"),
    ("strict-transport-security", "max-age=31536000"), ("x-content-type-options", "nosniff"),
    ("cf-cache-status", "DYNAMIC"), ("cf-ray", "8c5e7a9b0c8d1f0e-AMS"),
]  # fmt: skip


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """/json: 1 KB; /stream: 10 events; /work: 1 ms of work; /cpu: the worker's pid and processor time in ns."""
    environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path == "/stream":
        start_response("200 OK", [("content-type", "text/event-stream"), *HEADERS])
        return iter([EVENT] * 10)
    end = time.process_time() + WORK
    while path == "/work" and time.process_time() < end:
        pass
    body = b"%d %d}" % (os.getpid(), time.process_time_ns()) if path == "/cpu" else ANSWER
    start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(body))), *HEADERS])
    return [body]


class OwnAnswering(worker.Worker):
    """The worker with gunicorn's ``handle_request``: hooks, access log, request limit, two clock readings."""

    handle_request = GeventWorker.handle_request

    def init_process(self) -> None:
        # gunicorn's handle_request calls wsgi.create, which knows neither Plain nor our Response: _begin does.
        made = wsgi.create

        def create(*args: Any, **options: Any) -> Any:  # of a request, its socket, the client, the server, settings
            return made(*args, **options) if options else self._begin(*args[:4])

        wsgi.create = create
        super().init_process()


class OwnTimeout(worker.Worker):
    """The worker with gunicorn's timer for the wait for a request: only the time-out can end the wait."""

    timeout_ctx = GeventWorker.timeout_ctx


class OwnAccepting(worker.Worker):
    """The worker with gevent's server, as gunicorn sets it up: whichever worker is first accepts."""

    def server_class(self, listener: Any, *, spawn: Any, **options: Any) -> StreamServer:
        server = StreamServer(listener, partial(self.handle, listener), spawn=spawn)
        server.max_accept = 1
        return server

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Our server counts a connection when it accepts it; gevent's does not."""
        self.share.add(1)
        super().handle(listener, client, addr)


def all_overrides() -> type:
    return worker.Worker


def own_reading() -> type:
    worker.Reader = lambda cfg: Request
    return worker.Worker


def own_writing() -> type:
    worker.Response = wsgi.Response
    return worker.Worker


def own_settings() -> type:
    worker.keep_settings = lambda cfg: None
    return worker.Worker


def own_reading_and_settings() -> type:
    own_reading()
    return own_settings()


VARIANTS: dict[str, Callable[[], type]] = {
    "all overrides": all_overrides,
    "stock gunicorn": lambda: GeventWorker,
    "gunicorn's Request": own_reading,
    "gunicorn's Response": own_writing,
    "gunicorn's handle_request": lambda: OwnAnswering,
    "gunicorn's table of settings": own_settings,
    "gunicorn's Request and table of settings": own_reading_and_settings,
    "gunicorn's timeout_ctx": lambda: OwnTimeout,
    "gevent's StreamServer": lambda: OwnAccepting,
}


class Application(BaseApplication):
    """gunicorn with the settings of gunicorn.conf.py that matter here."""

    def __init__(self, variant: str, workers: int, descriptor: int) -> None:
        self.settings = {
            "bind": f"fd://{descriptor}", "workers": workers, "worker_class": VARIANTS[variant](), "keepalive": 75,
            "loglevel": "warning", "control_socket_disable": True, "worker_connections": 5000,
            "pre_fork": lambda server, process: setattr(process, "share", Share()),
        }  # fmt: skip
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return app


if __name__ == "__main__":
    Application(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
