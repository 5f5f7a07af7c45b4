"""Browser sessions: a random cookie, everything else in private.web_sessions, for flash, CSRF and flask-login.

The cookie holds 32 random bytes; the database stores only their SHA-256. A browser that only reads pages has no row, a
flash message makes one for an hour, and a log-in makes one under a new id. That row ends after 14 days without use.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from psycopg.types.json import Jsonb

from webapp import db
from webapp.auth import outside
from webapp.auth.identity import Login, Person
from webapp.auth.throttle import address
from webapp.errors import ApiError
from webapp.replica import reading
from webapp.secrets.hashing import sha256_of

log = logging.getLogger("spendai")

SIGNED_IN = 14 * 86400  # seconds
ANONYMOUS = 3600
RENEW = 3600  # a session in use is prolonged at most once in this time
FLASK_LOGIN_KEYS = ("_user_id", "_fresh", "_id")  # in a session; not stored, because the row has user_id
STATELESS = ("/api/", "/static/", "/healthz", "/readyz", "/metrics")


def device_and_address() -> tuple[str, str]:
    """User-Agent and address of this request, which a new session keeps so that its person recognizes it."""
    return request.headers.get("User-Agent", ""), address()


class WebSession(dict[str, Any], SessionMixin):
    """The session of one request.

    id: what the cookie holds, None without one; person: who signed in; stored: a row exists; problem: why the row could
    not be read; tokens: of an outside provider, encrypted.
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__()
        self.id, self.person, self.stored = id, None, False
        self.expires_at: datetime | None = None
        self.send_cookie = False
        self.problem: psycopg.Error | ApiError | None = None
        self.tokens: bytes | None = None
        self._loaded: str = "{}"

    def read(self) -> None:
        """Load the row of this id, if there is one whose tokens are still valid."""
        row = reading.identify(lambda tx: tx.call("web_session_load", sha256_of(self.id)))
        if row and (row["tokens"] is None or outside.still_good(self.id, row["tokens"])):
            self.stored, self.expires_at = True, row["expires_at"]
            self.tokens = row["tokens"]
            self.update(row["data"])
            self._loaded = self._data()
            if row["user_id"]:
                self.person = Person(str(row["user_id"]), row["email"])
                self["_user_id"] = self.person.id

    def identify(self) -> str:
        """The id, made when it is first needed; the CSRF token of forms is derived from it."""
        if self.id is None:
            self.id, self.send_cookie = secrets.token_urlsafe(32), True
        return self.id

    def start(self, login: Login) -> None:
        """Sign in, always under a new id: nobody who knew the old id is signed in too."""
        person, fresh = login.person, secrets.token_urlsafe(32)
        tokens = outside.seal(fresh, login.tokens) if login.tokens else None
        with db.scope("spendai_auth") as tx:
            if self.id:
                tx.call("web_session_end", sha256_of(self.id))
            words = sha256_of(fresh), UUID(person.id), Jsonb({}), tokens, SIGNED_IN
            tx.call("web_session_start", *words, *device_and_address())
        self.clear()
        self.id, self.person, self.stored, self.send_cookie, self._loaded = fresh, person, True, True, "{}"

    def end(self) -> None:
        """Sign out; the cookie goes too."""
        if self.id:
            with db.scope("spendai_auth") as tx:
                tx.call("web_session_end", sha256_of(self.id))
        self.clear()
        self.id, self.person, self.stored, self.send_cookie, self._loaded = None, None, False, True, "{}"

    def write(self) -> None:
        """Store changed data; prolong a signed-in session, at most once in RENEW seconds."""
        data, seconds = self._data(), SIGNED_IN if self.person else ANONYMOUS
        aging = self.person and self.expires_at and self._left() < SIGNED_IN - RENEW
        if data == self._loaded and not aging:
            return
        with db.scope("spendai_auth") as tx:
            if self.stored:
                tx.call("web_session_save", sha256_of(self.id), Jsonb(json.loads(data)), None, seconds)
            else:
                words = sha256_of(self.identify()), None, Jsonb(json.loads(data)), None, seconds
                tx.call("web_session_start", *words, None, None)
        self.send_cookie = self.send_cookie or bool(aging)

    def _left(self) -> float:
        return (self.expires_at - datetime.now(UTC)).total_seconds() if self.expires_at else 0

    def _data(self) -> str:
        return json.dumps({k: v for k, v in self.items() if k not in FLASK_LOGIN_KEYS}, sort_keys=True)


class DatabaseSessions(SessionInterface):
    """Opens and saves a ``WebSession`` for each request of Flask. secure: PUBLIC_URL is https."""

    def __init__(self, secure: bool) -> None:
        self.secure = secure
        # Browsers accept a __Host- cookie only over https, and never one that a sibling domain has set.
        self.cookie = "__Host-spendai" if secure else "spendai"

    def open_session(self, app: Flask, request: Request) -> WebSession | None:
        if request.path.startswith(STATELESS):
            return None
        session = WebSession()
        sent = request.cookies.get(self.cookie, "")
        if re.fullmatch(r"[\w-]{43}", sent, re.ASCII):
            session.id = sent
            try:
                session.read()
            except (psycopg.Error, ApiError) as error:
                session.problem = error  # Flask calls no error handler here: auth._guard raises it
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, WebSession) or session.problem:
            return
        try:
            session.write()
        except psycopg.Error as error:  # the answer is ready: losing a flash message is better than an error page
            log.warning("session not saved sqlstate=%s", error.sqlstate)
        if not session.send_cookie:
            return
        flags = {"path": "/", "secure": self.secure, "httponly": True, "samesite": "Lax"}
        if session.id is None:
            response.delete_cookie(self.cookie, **flags)
        else:
            response.set_cookie(self.cookie, session.id, max_age=SIGNED_IN if session.person else None, **flags)
