"""Lets sessions in: a WSGI application in front of the gateway, which gets every request that is no upgrade of a path
with a WebSocket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, quote

from webapp.errors import ApiError
from webapp.gateway.base_urls import below_proxy
from webapp.gateway.cors import refuse_foreign_page
from webapp.gateway.gateway import Gateway
from webapp.gateway.key_check import bearer
from webapp.gateway.loops import refuse_loop
from webapp.gateway.refusals import CallFailed, refuse
from webapp.gateway.routes import TARGET_QUERY, openai_path, openai_query
from webapp.metering import parse_tags
from webapp.metering.references import NEEDS_OWN_KEY, Objection
from webapp.metrics.measured import count_refused
from webapp.secrets.hashing import sha256_of
from webapp.websocket.handshake import Upgrade, is_upgrade, key_in, protocols_of
from webapp.websocket.meaning import word
from webapp.websocket.paths import Endpoint, find, longest
from webapp.websocket.relay import Relay
from webapp.websocket.session import Session
from webapp.websocket.visit import Visit

Start = Callable[..., Any]
REFERENCE = re.compile("_ids?$", re.IGNORECASE)  # names, in a query, of what OpenAI stores
DEPLOYMENT = re.compile(r"(?<=[?&])deployment=")  # clients of Azure name the model of a Realtime session so


class Door:
    """``Door(gateway)``; ``wind_down()`` when the worker is told to stop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self._config = gateway, gateway.config
        self._running: set[Relay] = set()
        self._stopping = False

    @property
    def sessions(self) -> int:
        """How many sessions are under way."""
        return len(self._running)

    def wind_down(self) -> None:
        """End the sessions: at once, or when the responses under way are over."""
        self._stopping = True
        for relay in list(self._running):
            relay.stop()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Any:
        """WSGI."""
        if is_upgrade(environ):
            raw = environ.get("RAW_URI") or quote(environ["PATH_INFO"]) + "?" + environ.get("QUERY_STRING", "")
            path, mark, query = raw.partition("?")
            try:
                below, _ = openai_path(below_proxy(path) or "")
                if found := find(below):
                    return self._let_in(environ, start_response, found, below + openai_query(mark + query))
            except ApiError as error:
                count_refused(error.status)
                return refuse(error, start_response)
        return self._gateway(environ, start_response)

    def _let_in(self, environ: dict[str, Any], start_response: Start, path: Endpoint, target: str) -> Iterable[bytes]:
        """Check a client, write the session's row, and serve it; returns when the session is over."""
        refuse_loop(environ, self._config.secret_key)
        refuse_foreign_page(environ, self._config)
        if "model" not in parse_qs(target.partition("?")[2]):
            target = DEPLOYMENT.sub("model=", target, count=1)
        upgrade, query = Upgrade(environ, self._config.websocket_message_bytes), target.partition("?")[2]
        if not TARGET_QUERY.fullmatch(query):
            raise ApiError(400, "invalid_query", "The query holds a character that must be percent-encoded")
        key_hash = sha256_of(key_in(protocols_of(environ)) or bearer(environ))
        place = self._gateway.bounds.enter(key_hash)
        try:
            tags = parse_tags(environ.get("HTTP_X_SPENDAI_TAGS"))
            named = parse_qs(query)
            session = Session(self._gateway.ledger, key_hash, path.route, tags, side="call_id" in named)
            meaning = self._begun(session, path, named)
            visit = Visit(self._gateway, environ, session, upgrade, target)
            return visit.serve(start_response, meaning, self._serve, place)
        except CallFailed as failed:
            raise failed.error from None
        finally:
            place.leave()

    def _begun(self, session: Session, path: Endpoint, query: dict[str, list[str]]) -> Any:
        """Write the session's row, and return what its messages mean. Raises ApiError."""
        model = word(query.get("model", [None])[0])
        named = "session_id" if path.own_key else next((name for name in query if REFERENCE.search(name)), None)
        try:
            session.begin(model, Objection(NEEDS_OWN_KEY, named) if named else None, longest(self._config))
        except ApiError:
            self._gateway.refused_keys.count(self._gateway.ledger, session.entry[1], session.opened.get("outcome"))
            raise
        return path.make(session, self._config, model)

    def _serve(self, relay: Relay) -> None:
        """Run a session, so that ``wind_down`` finds it."""
        self._running.add(relay)
        try:
            if self._stopping:
                relay.stop()
            relay.run()
        finally:
            self._running.discard(relay)
