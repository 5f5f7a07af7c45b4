"""One client that was let in: connects to OpenAI, answers the upgrade, and notes how the session ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake

from webapp.errors import ApiError
from webapp.gateway.bounds import Place
from webapp.gateway.forward import openai_key
from webapp.gateway.gateway import Gateway
from webapp.gateway.headers import answer_headers, request_headers
from webapp.gateway.loops import via
from webapp.gateway.refusals import CallFailed, status_line
from webapp.gateway.region import region_of
from webapp.metering import warning
from webapp.server.upgrade import TAKEN_OVER, take_over
from webapp.upstream.client import UpstreamError
from webapp.websocket.end import GONE, End
from webapp.websocket.handshake import REALTIME, Asked, Refused, Upgrade, dial, first, protocols_of, sent_on, told_in
from webapp.websocket.meaning import Meaning, word
from webapp.websocket.relay import Relay, Seconds
from webapp.websocket.session import Session

NO_SANDBOX = ApiError(
    426,
    "no_websocket_in_sandbox",
    "The sandbox answers over HTTP only; an admin can store an OpenAI key under Settings",
)
UNREACHABLE = ApiError(502, "upstream_unreachable", "OpenAI's API did not accept the WebSocket")
TIMED_OUT = ApiError(504, "upstream_timeout", "OpenAI's API did not answer the upgrade in time")
OF_THE_HANDSHAKE = "sec-websocket-"


class Visit:
    """target: raw path and query below OpenAI's base URL."""

    def __init__(
        self, gateway: Gateway, environ: dict[str, Any], session: Session, upgrade: Upgrade, target: str
    ) -> None:
        self._client, self._config, self._environ = gateway.client, gateway.config, environ
        self._session, self._upgrade, self._target = session, upgrade, target

    def serve(
        self, start_response: Callable[..., Any], meaning: Meaning, run: Callable[[Relay], None], place: Place
    ) -> Iterable[bytes]:
        """Serve the session to its end. Raises ApiError or CallFailed before the upgrade was answered."""
        closed_by, code = "spendai", 500
        try:
            place.opened(self._session.opened["org_id"])
            upstream, told = self._dialled()
            try:
                client = self._answered(told)
            except BaseException:
                upstream.close(GONE)
                raise
            relay = Relay(self._session.id, client, upstream, meaning, self._seconds())
            try:
                run(relay)
            finally:
                code, closed_by = relay.code, relay.closed_by
            return TAKEN_OVER
        except Refused as refused:
            code, closed_by = refused.response.status_code, "openai"
            return self._passed_on(refused, start_response)
        except CallFailed as failed:
            code = failed.error.status
            raise
        except ApiError as error:
            code = error.status
            raise
        finally:
            self._session.end(code, closed_by)

    def _seconds(self) -> Seconds:
        config = self._config
        return Seconds(config.websocket_idle_seconds, config.websocket_seconds, config.drain_seconds)

    def _dialled(self) -> tuple[End, Headers]:
        """Connect to OpenAI; the headers are those of its answer. Raises Refused, ApiError, CallFailed."""
        session, config, opened = self._session, self._config, self._session.opened
        if opened["upstream"] == "sandbox":
            raise NO_SANDBOX.anew()
        base_url = opened["base_url"] or config.openai_base_url
        asked = Asked(self._target, self._headers(base_url), sent_on(protocols_of(self._environ)))
        try:
            origin, sock = self._client.dial(base_url)
        except UpstreamError as error:
            raise ApiError(error.status, error.code, error.message) from None
        try:
            protocol, told = dial(sock, origin, asked, config.websocket_message_bytes, config.upstream_connect_timeout)
        except TimeoutError:
            sock.close()
            raise TIMED_OUT.anew() from None
        except (OSError, InvalidHandshake):
            sock.close()
            raise UNREACHABLE.anew() from None
        except BaseException:
            sock.close()
            raise
        session.region = region_of(base_url)
        session.request_id = word(first(told, "x-request-id"))
        session.openai_project = word(first(told, "openai-project"))
        return End(sock, protocol), told

    def _headers(self, base_url: str) -> list[tuple[str, str]]:
        """The client's headers that go to OpenAI, and those of our own."""
        opened = self._session.opened
        kept = request_headers(
            self._environ, identity=False, shared_by=opened["org_id"] if self._session.shared else None
        )
        return [
            *((name, value) for name, value in kept if not name.lower().startswith(OF_THE_HANDSHAKE)),
            ("Authorization", f"Bearer {openai_key(self._config, opened)}"),
            *via(self._environ, self._config.secret_key, base_url),
        ]

    def _answered(self, told: Headers) -> End:
        """Answer the upgrade: from here on the connection is a WebSocket."""
        kept = answer_headers(told_in(told), resized=True, shared=self._session.shared)
        more = [(name, value) for name, value in kept if not name.lower().startswith(OF_THE_HANDSHAKE)]
        # A browser closes the connection when none of the subprotocols that it offers is chosen.
        usual = REALTIME if REALTIME in protocols_of(self._environ) else None
        chosen = first(told, "sec-websocket-protocol") or usual
        more += [("Sec-WebSocket-Protocol", chosen)] if chosen else []
        more.append(("x-spendai-session-id", self._session.id))
        more += [("x-spendai-warning", said)] if (said := warning(self._session.tags)) else []
        sock, unread = take_over(self._environ)
        with suppress(OSError):  # the client is gone: reading finds out
            sock.sendall(self._upgrade.accept(more))
        return End(sock, self._upgrade.protocol, unread)

    def _passed_on(self, refused: Refused, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """OpenAI's HTTP answer, for the client."""
        answer = refused.response
        body = bytes(answer.body or b"")
        kept = answer_headers(told_in(answer.headers), resized=True, shared=self._session.shared)
        line = status_line(answer.status_code, answer.reason_phrase)
        start_response(line, [*kept, ("Content-Length", str(len(body)))])
        return [body]
