"""Lets a session in: checks its key, writes its row, connects to OpenAI, answers the upgrade, and passes messages on.

A WSGI application in front of the gateway, which gets every request that is no upgrade of one of the paths in PATHS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake

from webapp.config import Config
from webapp.errors import ApiError
from webapp.gateway.forward import openai_key
from webapp.gateway.gateway import PREFIX, Gateway
from webapp.gateway.headers import answer_headers, request_headers
from webapp.gateway.key_check import bearer
from webapp.gateway.loops import refuse_loop, via
from webapp.gateway.refusals import CallFailed, refuse, status_line
from webapp.gateway.region import region_of
from webapp.gateway.routes import SEGMENT, TARGET_QUERY, Route
from webapp.metering import parse_tags
from webapp.metering.references import NEEDS_OWN_KEY, Objection
from webapp.secrets.hashing import sha256_of
from webapp.server.upgrade import TAKEN_OVER, take_over
from webapp.upstream.client import UpstreamError
from webapp.websocket.end import End
from webapp.websocket.handshake import REALTIME, Refused, Upgrade, dial, is_upgrade, key_in, protocols_of, sent_on
from webapp.websocket.live import Live
from webapp.websocket.meaning import Meaning, word
from webapp.websocket.realtime import Realtime, Translation
from webapp.websocket.relay import Limits, Relay
from webapp.websocket.responses import Responses
from webapp.websocket.session import METHOD, Session

GRACE_SECONDS = 300  # a session's row waits so much longer for its end than the session may last
NO_SANDBOX = ApiError(426, "no_websocket_in_sandbox", "The sandbox answers over HTTP only")
UNREACHABLE = ApiError(502, "upstream_unreachable", "OpenAI's API did not accept the WebSocket")
ATTACHED = ApiError(
    403, "endpoint_not_allowed", "SpendAI does not forward a connection that is attached to a Live session: its seconds"
    " are told to the connection that began it, so they would be counted twice"
)  # fmt: skip
Start = Callable[..., Any]
Make = Callable[[Session, Config, str | None], Meaning]


class Path(NamedTuple):
    """A path with a WebSocket. own_key: it names something that OpenAI stores."""

    route: Route
    make: Make
    own_key: bool = False


def _path(path: str, make: Make, makes: str = "", *, own_key: bool = False) -> tuple[re.Pattern[str], Path]:
    pattern = re.escape(path).replace(r"\{session_id\}", SEGMENT.pattern)
    return re.compile(pattern), Path(Route(METHOD, path, "always", "priced", makes, ""), make, own_key)


def _live(session: Session, config: Config, _model: str | None) -> Meaning:
    return Live(session, config.call_max_seconds, config.websocket_seconds + GRACE_SECONDS)


PATHS = (
    _path("/responses", lambda session, config, _: Responses(session, config.call_max_seconds), "response"),
    _path("/realtime", lambda session, config, model: Realtime(session, config.call_max_seconds, model)),
    _path("/realtime/translations", lambda session, config, model: Translation(
        session, config.websocket_seconds + GRACE_SECONDS, model)),
    _path("/live/sessions", _live),
    _path("/live/sessions/{session_id}/fork", _live, own_key=True),
)  # fmt: skip
ATTACH = re.compile(r"/live/sessions/[^/]+/attach")


def find(path: str) -> Path | None:
    """The WebSocket at a raw path after /api/v1/proxy. Raises ApiError for one that is refused."""
    if ATTACH.fullmatch(path):
        raise ATTACHED
    return next((found for pattern, found in PATHS if pattern.fullmatch(path)), None)


class Door:
    """``Door(gateway)``; ``wind_down()`` when the worker is told to stop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self._config = gateway, gateway.config
        self._running: set[Relay] = set()
        self._stopping = False

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
                if path.startswith(PREFIX) and (found := find(path[len(PREFIX) :])):
                    return self._session(environ, start_response, found, path[len(PREFIX) :], mark + query)
            except ApiError as error:
                return refuse(error, start_response)
        return self._gateway(environ, start_response)

    def _session(self, environ: dict[str, Any], start: Start, path: Path, raw: str, query: str) -> Iterable[bytes]:
        """Serve one session; returns when it is over."""
        refuse_loop(environ, self._config.secret_key)
        upgrade, offered = Upgrade(environ, self._config.websocket_message_bytes), protocols_of(environ)
        if not TARGET_QUERY.fullmatch(query):
            raise ApiError(400, "invalid_query", "The query holds a character that must be percent-encoded")
        key_hash = sha256_of(key_in(offered) or bearer(environ))
        asked = parse_qs(query.removeprefix("?"))
        model = word(asked.get("model", [None])[0])
        place = self._gateway.bounds.enter(key_hash)
        try:
            session = Session(
                self._gateway.ledger, key_hash, path.route, parse_tags(environ.get("HTTP_X_SPENDAI_TAGS"))
            )
            named = "call_id" if "call_id" in asked else "session_id"
            objection = Objection(NEEDS_OWN_KEY, named) if path.own_key or "call_id" in asked else None
            session.begin(model, objection, self._config.websocket_seconds + GRACE_SECONDS)
            place.opened(session.opened["org_id"])
            return self._connected(
                environ, start, session, path.make(session, self._config, model), upgrade, raw + query
            )
        except CallFailed as failed:
            raise failed.error from None
        finally:
            place.leave()

    def _connected(
        self, environ: dict[str, Any], start: Start, session: Session, meaning: Meaning, upgrade: Upgrade, target: str
    ) -> Iterable[bytes]:
        code, closed_by = 500, "spendai"
        try:
            upstream, more = self._dial(environ, session, target)
            relay = self._relay(environ, session, meaning, upgrade, upstream, more)
            self._running.add(relay)
            if self._stopping:
                relay.stop()
            try:
                relay.run()
            finally:
                self._running.discard(relay)
                code, closed_by = relay.code, relay.closed_by
            return TAKEN_OVER
        except Refused as refused:
            code, closed_by = refused.response.status_code, "openai"
            return _passed_on(refused, start, shared=session.shared)
        except CallFailed as failed:
            code = failed.error.status
            raise failed.error from None
        except ApiError as error:
            code = error.status
            raise
        finally:
            session.end(code, closed_by)

    def _dial(self, environ: dict[str, Any], session: Session, target: str) -> tuple[End, Headers]:
        """Connect to OpenAI. Raises Refused, ApiError, CallFailed."""
        opened, config = session.opened, self._config
        if opened["upstream"] == "sandbox":
            raise NO_SANDBOX
        base_url = opened["base_url"] or config.openai_base_url
        shared_by = opened["org_id"] if session.shared else None
        headers = [
            (name, value)
            for name, value in request_headers(environ, identity=False, shared_by=shared_by)
            if not name.lower().startswith("sec-websocket-")
        ]
        headers.append(("Authorization", f"Bearer {openai_key(config, opened)}"))
        headers += via(environ, config.secret_key, base_url)
        try:
            origin, sock = self._gateway.client.dial(base_url)
        except UpstreamError as error:
            raise ApiError(error.status, error.code, error.message) from None
        try:
            sock.settimeout(config.upstream_connect_timeout)
            protocols = sent_on(protocols_of(environ))
            protocol, told = dial(sock, origin, target, headers, protocols, config.websocket_message_bytes)
        except (OSError, InvalidHandshake):
            sock.close()
            raise UNREACHABLE from None
        except BaseException:
            sock.close()
            raise
        session.region = region_of(base_url)
        session.request_id, session.openai_project = word(told.get("x-request-id")), word(told.get("openai-project"))
        return End(sock, protocol), told

    def _relay(
        self,
        environ: dict[str, Any],
        session: Session,
        meaning: Meaning,
        upgrade: Upgrade,
        upstream: End,
        told: Headers,
    ) -> Relay:
        """Answer the upgrade: from here on the connection is a WebSocket."""
        more = [
            (name, value)
            for name, value in answer_headers(told.raw_items(), resized=True, shared=session.shared)
            if not name.lower().startswith("sec-websocket-")
        ]
        offered = protocols_of(environ)
        chosen = told.get("sec-websocket-protocol") or (REALTIME if REALTIME in offered else None)
        more += [("Sec-WebSocket-Protocol", chosen)] if chosen else []
        more.append(("x-spendai-session-id", session.id))
        sock, unread = take_over(environ)
        with suppress(OSError):  # the client is gone: reading finds out
            sock.sendall(upgrade.accept(more))
        config = self._config
        limits = Limits(config.websocket_idle_seconds, config.websocket_seconds, config.drain_seconds)
        return Relay(session.id, End(sock, upgrade.protocol, unread), upstream, meaning, limits)


def _passed_on(refused: Refused, start: Start, *, shared: bool) -> Iterable[bytes]:
    """OpenAI's HTTP answer, for the client."""
    response = refused.response
    body = bytes(response.body or b"")
    kept = answer_headers(response.headers.raw_items(), resized=True, shared=shared)
    start(status_line(response.status_code, response.reason_phrase), [*kept, ("Content-Length", str(len(body)))])
    return [body]
