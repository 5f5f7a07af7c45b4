"""Browser sessions: a random cookie, everything else in private.web_sessions. flash, CSRF and flask-login share it.

The cookie holds 32 random bytes; the database knows their SHA-256 only. A browser that just reads pages has no row at
all, a flash message makes one for an hour, logging in makes a new one under a new id for 14 days that slide.
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
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from psycopg.types.json import Jsonb

from webapp import db
from webapp.auth import outside
from webapp.auth.identity import Login, Person
from webapp.errors import ApiError
from webapp.secrets.proxy_keys import key_hash

log = logging.getLogger("spendai")

SIGNED_IN = 14 * 86400  # seconds
ANONYMOUS = 3600
RENEW = 3600  # a session in use is prolonged at most once in this time
OURS = ("_user_id", "_fresh", "_id")  # what flask-login keeps; the row's user_id says it all
STATELESS = ("/api/", "/static/", "/healthz", "/readyz")


class WebSession(dict[str, Any], SessionMixin):
    """The session of one request.

    id: what the cookie holds, None without one; person: who signed in; stored: a row exists; problem: why it could not
    be read; tokens: what an outside provider gave for it, sealed.
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
        """Take over what the row says, if there is one."""
        with db.scope("spendai_auth") as tx:
            row = tx.call("web_session_load", key_hash(self.id))
        if row and (row["tokens"] is None or outside.still_good(self.id, row["tokens"])):
            self.stored, self.expires_at = True, row["expires_at"]
            self.tokens = row["tokens"]
            self.update(row["data"])
            self._loaded = self._data()
            if row["user_id"]:
                self.person = Person(str(row["user_id"]), row["email"])
                self["_user_id"] = self.person.id

    def identify(self) -> str:
        """The id, made on first need; a form's CSRF token follows from it."""
        if self.id is None:
            self.id, self.send_cookie = secrets.token_urlsafe(32), True
        return self.id

    def start(self, login: Login) -> None:
        """Sign in: always under a new id, so nobody can know it from before."""
        person, fresh = login.person, secrets.token_urlsafe(32)
        tokens = outside.seal(fresh, login.tokens) if login.tokens else None
        with db.scope("spendai_auth") as tx:
            if self.id:
                tx.call("web_session_end", key_hash(self.id))
            tx.call("web_session_start", key_hash(fresh), UUID(person.id), Jsonb({}), tokens, SIGNED_IN)
        self.clear()
        self.id, self.person, self.stored, self.send_cookie, self._loaded = fresh, person, True, True, "{}"

    def end(self) -> None:
        """Sign out; the cookie goes too."""
        if self.id:
            with db.scope("spendai_auth") as tx:
                tx.call("web_session_end", key_hash(self.id))
        self.clear()
        self.id, self.person, self.stored, self.send_cookie, self._loaded = None, None, False, True, "{}"

    def write(self) -> None:
        """Store what changed; a signed-in session in use lives on."""
        data, seconds = self._data(), SIGNED_IN if self.person else ANONYMOUS
        aging = self.person and self.expires_at and self._left() < SIGNED_IN - RENEW
        if data == self._loaded and not aging:
            return
        with db.scope("spendai_auth") as tx:
            if self.stored:
                tx.call("web_session_save", key_hash(self.id), Jsonb(json.loads(data)), None, seconds)
            else:
                tx.call("web_session_start", key_hash(self.identify()), None, Jsonb(json.loads(data)), None, seconds)
        self.send_cookie = self.send_cookie or bool(aging)

    def _left(self) -> float:
        return (self.expires_at - datetime.now(UTC)).total_seconds() if self.expires_at else 0

    def _data(self) -> str:
        return json.dumps({k: v for k, v in self.items() if k not in OURS}, sort_keys=True)


class DatabaseSessions(SessionInterface):
    """Flask's door to ``WebSession``. secure: people come over https."""

    def __init__(self, secure: bool) -> None:
        self.secure = secure
        # Browsers take a __Host- cookie only over https; there it cannot be planted by a neighbour domain.
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
            except (psycopg.Error, ApiError) as error:  # nothing handles errors yet at this point of a request
                session.problem = error
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, WebSession) or session.problem:
            return
        try:
            session.write()
        except psycopg.Error as error:  # the answer is made: a lost flash message must not take it away
            log.warning("session not saved sqlstate=%s", error.sqlstate)
        if not session.send_cookie:
            return
        flags = {"path": "/", "secure": self.secure, "httponly": True, "samesite": "Lax"}
        if session.id is None:
            response.delete_cookie(self.cookie, **flags)
        else:
            response.set_cookie(self.cookie, session.id, max_age=SIGNED_IN if session.person else None, **flags)
