"""Supabase Auth as far as SpendAI uses it: a stub of the HTTP answers that GoTrue documents, not GoTrue itself.

Real are its tokens (JWTs signed with real keys, published as JWKS), the rows it writes into auth.users, and the rule
that a refresh token is good once (the one before the active one still, for a client that lost the answer). Errors have
both of GoTrue's shapes, by X-Supabase-Api-Version.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt
import psycopg
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

API_KEY = "sb_publishable_for_tests"
SECRET = "a secret of a project that still signs with HS256"
TROUBLES = {
    "down": (503, {"message": "no healthy upstream"}),
    "busy": (429, {"code": 429, "error_code": "over_request_rate_limit", "msg": "Request rate limit reached"}),
    "html": (200, "<!doctype html><title>Welcome to nginx</title>"),
}
COLUMNS = "id, email, email_confirmed_at, banned_until, encrypted_password, raw_user_meta_data"


class Refused(Exception):
    """An error answer of GoTrue's."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        self.status, self.code, self.message, self.more = status, code, message, more


def key_pair(algorithm: str) -> tuple[str, Any]:
    """A new signing key with its id."""
    made = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)
    return str(uuid4()), made


class FakeGoTrue:
    """``with FakeGoTrue(superuser's connection string) as auth:`` serves at ``auth.url``.

    confirm: new addresses have to be confirmed; trouble: down, busy, html (something else answers there) or slow (until
    ``released``); lifetime: of access tokens, seconds; asked: path of every request, with its grant type.
    """

    def __init__(self, dsn: str) -> None:
        self.confirm, self.trouble, self.lifetime, self.algorithm = False, "", 3600, "ES256"
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.links: dict[str, str] = {}
        self.kid, self.key = key_pair("ES256")
        self.lock = threading.Lock()
        self.dsn = dsn
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.handle_error = lambda *which: None  # a client that gave up waiting
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> FakeGoTrue:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, path: str) -> int:
        return self.asked.count(path)

    def rotate(self, algorithm: str = "ES256") -> None:
        """A new signing key; the old one is not published any more."""
        self.algorithm, (self.kid, self.key) = algorithm, key_pair(algorithm)

    def _sql(self, query: str, args: Any) -> psycopg.Cursor[dict[str, Any]]:
        """Run a statement on a connection of its own: many threads ask."""
        with psycopg.connect(self.dsn, autocommit=True, row_factory=dict_row) as conn:
            return conn.execute(query, args)

    def user(self, email: str) -> dict[str, Any] | None:
        return self._sql(f"select {COLUMNS} from auth.users where email = %s", [email]).fetchone()

    def confirm_address(self, email: str) -> None:
        """The person opens the link of the confirmation e-mail."""
        self._sql("update auth.users set email_confirmed_at = now() where email = %s", [email])

    def ban(self, email: str) -> None:
        self._sql("update auth.users set banned_until = now() + interval '1 day' where email = %s", [email])

    def claims(self, user: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """What GoTrue puts into an access token; a change to None takes a claim out."""
        now = int(time.time())
        claims = {
            "iss": f"{self.url}/auth/v1", "sub": str(user["id"]), "aud": "authenticated", "exp": now + self.lifetime,
            "iat": now, "email": user["email"], "phone": "", "role": "authenticated", "aal": "aal1",
            "app_metadata": {"provider": "email"}, "user_metadata": user["raw_user_meta_data"] or {},
            "amr": [{"method": "password", "timestamp": now}], "session_id": str(uuid4()), "is_anonymous": False,
        } | changes  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, user: dict[str, Any], **changes: Any) -> str:
        """An access token signed as the project signs."""
        claims = self.claims(user, **changes)
        if self.algorithm == "HS256":
            return jwt.encode(claims, SECRET, "HS256")
        return jwt.encode(claims, self.key, self.algorithm, {"kid": self.kid})

    def jwks(self) -> dict[str, Any]:
        if self.algorithm == "HS256":
            return {"keys": []}
        kind = jwt.algorithms.ECAlgorithm if self.algorithm == "ES256" else jwt.algorithms.RSAAlgorithm
        public = kind.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": self.kid, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}]}

    def signup(self, body: dict[str, Any]) -> dict[str, Any]:
        self._strong(body["password"])
        known = self.user(body["email"])
        if known and not self.confirm:
            raise Refused(422, "user_already_exists", "User already registered")
        if known:  # a stranger must not learn that the address has an account
            return shown({"id": uuid4(), "email": body["email"], "raw_user_meta_data": {}})
        hashed = hashlib.sha256(body["password"].encode()).hexdigest()
        self._sql(
            "insert into auth.users (id, aud, role, email, encrypted_password, raw_user_meta_data, email_confirmed_at,"
            " created_at) values (%s, 'authenticated', 'authenticated', %s, %s, %s, case when not %s then now() end,"
            " now())",
            [uuid4(), body["email"], hashed, Jsonb(body.get("data") or {}), self.confirm],
        )
        user = self.user(body["email"])
        return shown(user) if self.confirm else self.session(user)

    @staticmethod
    def _strong(password: str) -> None:
        if not any(letter.isdigit() for letter in password):
            reasons = {"reasons": ["characters"]}
            message = "Password should contain at least one character of each: 0123456789."
            raise Refused(422, "weak_password", message, weak_password=reasons)

    def password(self, body: dict[str, Any]) -> dict[str, Any]:
        user = self.user(body["email"].lower())
        hashed = hashlib.sha256(body["password"].encode()).hexdigest()
        if user is None or user["encrypted_password"] != hashed:
            raise Refused(400, "invalid_credentials", "Invalid login credentials")
        self._may_come_in(user)
        return self.session(user)

    def _may_come_in(self, user: dict[str, Any]) -> None:
        if user["banned_until"]:
            raise Refused(400, "user_banned", "User is banned")
        if not user["email_confirmed_at"]:
            raise Refused(400, "email_not_confirmed", "Email not confirmed")

    def session(self, user: dict[str, Any], kept: dict[str, Any] | None = None) -> dict[str, Any]:
        """Tokens of a new session, or the next ones of one that is kept."""
        kept = kept or {"email": user["email"], "active": None, "parent": None}
        kept["parent"], kept["active"] = kept["active"], secrets.token_urlsafe(9)
        self.sessions[kept["active"]] = kept
        return self._answer(user, kept)

    def _answer(self, user: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
        now = int(time.time())
        return {
            "access_token": self.token(user), "token_type": "bearer", "expires_in": self.lifetime,
            "expires_at": now + self.lifetime, "refresh_token": kept["active"], "user": shown(user),
        }  # fmt: skip

    def refresh_token(self, body: dict[str, Any]) -> dict[str, Any]:
        token = body["refresh_token"]
        kept = self.sessions.get(token)
        if kept is None:
            raise Refused(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        user = self.user(kept["email"])
        self._may_come_in(user)
        if token == kept["active"]:
            return self.session(user, kept)
        if token == kept["parent"]:
            return self._answer(user, kept)
        raise Refused(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")

    def bearer(self, headers: Any) -> dict[str, Any]:
        """The user of the access token that a request brings."""
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        return self._sql(f"select {COLUMNS} from auth.users where id = %s", [claims["sub"]]).fetchone()

    def change(self, user: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """PUT /user: a new password at once; a new address at once too, unless addresses have to be confirmed."""
        if "password" in body:
            self._strong(body["password"])
            hashed = hashlib.sha256(body["password"].encode()).hexdigest()
            if hashed == user["encrypted_password"]:
                raise Refused(422, "same_password", "New password should be different from the old password.")
            self._sql("update auth.users set encrypted_password = %s where id = %s", [hashed, user["id"]])
        if "email" in body:
            if self.user(body["email"]):
                raise Refused(422, "email_exists", "A user with this email address has already been registered")
            if not self.confirm:
                self._sql("update auth.users set email = %s where id = %s", [body["email"], user["id"]])
        return shown(self._sql(f"select {COLUMNS} from auth.users where id = %s", [user["id"]]).fetchone())

    def recover(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sends a link, whose token hash the stub keeps in ``links``; says nothing of unknown addresses."""
        if self.user(body["email"]):
            self.links[secrets.token_urlsafe(9)] = body["email"]
        return {}

    def verify(self, body: dict[str, Any]) -> dict[str, Any]:
        email = self.links.pop(body["token_hash"], None) if body["type"] == "recovery" else None
        if email is None:
            raise Refused(403, "otp_expired", "Email link is invalid or has expired")
        return self.session(self.user(email))

    def logout(self, body: dict[str, Any]) -> None:
        return None


def shown(user: dict[str, Any]) -> dict[str, Any]:
    """The user object of GoTrue's answers."""
    return {
        "id": str(user["id"]), "aud": "authenticated", "role": "authenticated", "email": user["email"], "phone": "",
        "confirmation_sent_at": "2026-01-01T00:00:00Z", "app_metadata": {"provider": "email"}, "identities": [],
        "user_metadata": user["raw_user_meta_data"] or {}, "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "is_anonymous": False,
    }  # fmt: skip


def handler(auth: FakeGoTrue) -> type[BaseHTTPRequestHandler]:
    """The HTTP side."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = {"/auth/v1/.well-known/jwks.json": auth.jwks, "/auth/v1/settings": lambda: {"external": {}}}
            found = known.get(self.path)
            if self.path == "/auth/v1/user":
                found = lambda: shown(auth.bearer(self.headers))  # noqa: E731
            self._serve(found and (lambda body: found()))

        def do_PUT(self) -> None:
            known = {"/auth/v1/user": lambda body: auth.change(auth.bearer(self.headers), body)}
            self._serve(known.get(urlsplit(self.path).path))

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            what = parse_qs(parts.query).get("grant_type", [parts.path.removeprefix("/auth/v1/")])[0]
            known: dict[str, Callable[[dict[str, Any]], Any]] = {
                "signup": auth.signup, "password": auth.password, "refresh_token": auth.refresh_token,
                "logout": auth.logout, "recover": auth.recover, "verify": auth.verify,
            }  # fmt: skip
            self._serve(known.get(what))

        def _serve(self, answer: Callable[[dict[str, Any]], Any] | None) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            auth.asked.append(self.path.removeprefix("/auth/v1"))
            if auth.trouble == "slow":
                auth.released.wait(20)
            if auth.trouble in TROUBLES:
                return self._send(*TROUBLES[auth.trouble])
            if not self.path.endswith("/jwks.json") and self.headers.get("apikey") != API_KEY:
                return self._send(401, {"message": "Invalid API key", "hint": "Double check the API key."})
            if answer is None:
                return self._send(404, {"message": "no Route matched with those values"})
            try:
                with auth.lock:
                    body = json.loads(raw) if raw else {}
                    auth.sent.append(body)
                    found = answer(body)
            except Refused as refused:
                return self._refuse(refused)
            return self._send(200 if found is not None else 204, found)

        def _refuse(self, refused: Refused) -> None:
            if self.headers.get("X-Supabase-Api-Version", "") >= "2024-01-01":
                body = {"code": refused.code, "message": refused.message}
            else:
                body = {"code": refused.status, "error_code": refused.code, "msg": refused.message}
            self._send(refused.status, body | refused.more)

        def _send(self, status: int, body: Any) -> None:
            data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            if version := self.headers.get("X-Supabase-Api-Version"):
                self.send_header("X-Supabase-Api-Version", version)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
