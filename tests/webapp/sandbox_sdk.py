"""The sandbox behind a small HTTP server, and the unmodified openai SDK as its client."""

from __future__ import annotations

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import openai
import pytest

from webapp.sandbox import simulator as sandbox


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def wsgi(environ, start_response):
    """What the gateway does with a sandbox answer, without the gateway."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = [("Content-Type", environ.get("CONTENT_TYPE", ""))]
    answer = sandbox.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
    start_response(f"{answer.status} {answer.reason}", answer.headers)
    return answer.chunks


@pytest.fixture(scope="module")
def sdk():
    with make_server("127.0.0.1", 0, wsgi, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        with openai.OpenAI(base_url=url, api_key="sk-none", max_retries=0) as made:
            yield made
        server.shutdown()
        thread.join()
