"""What the ledger knows of one session over WebSocket: its own row, and the rows of the calls made in it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from webapp.errors import ApiError
from webapp.gateway.body import RequestBody
from webapp.gateway.bookkeeping import Bookkeeper
from webapp.gateway.call import Call, new_id
from webapp.gateway.refusals import UNAVAILABLE, refused
from webapp.gateway.routes import Route
from webapp.ledger.ledger import Ledger, LedgerRefused, LedgerUnavailable
from webapp.metering import AnswerFacts, RequestFacts, Tags
from webapp.metering.references import Objection

METHOD = "WEBSOCKET"  # of the calls' rows


class Session:
    """One session. ``opened``: what app.open_calls returned for it; ``region``: of OpenAI's API; see region.py.

    model, upstream_id: of the session at OpenAI, as far as it has told them. side: whether it is one more connection to
    a Realtime call.
    """

    def __init__(self, ledger: Ledger, key_hash: bytes, route: Route, tags: Tags, *, side: bool = False) -> None:
        now_ms = time.time_ns() // 1_000_000
        self.id = new_id(now_ms)
        self.started_at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat()
        self.route, self.tags, self.side = route, tags, side
        self.opened: dict[str, Any] = {}
        self.region: str | None = None
        self.request_id: str | None = None
        self.openai_project: str | None = None
        self.model: str | None = None
        self.upstream_id: str | None = None
        self._ledger, self._key_hash = ledger, key_hash

    def begin(self, model: str | None, objection: Objection | None, seconds: int) -> None:
        """Check the key and write the session's row, or raise ApiError. model: asked for; seconds: it lasts at most."""
        message = {
            "id": self.id,
            "started_at": self.started_at,
            "max_seconds": seconds,
            "key_hash": self._key_hash.hex(),
            "endpoint": self.route.endpoint,
            "method": METHOD,
            "model": model,
            "tags": dict(self.tags.kept),
            "objection": objection.code if objection else None,
        }
        try:
            self.opened = self._ledger.begin_session(message)
        except (LedgerUnavailable, LedgerRefused):
            raise UNAVAILABLE.anew() from None
        if self.opened["outcome"] != "opened":
            raise refused(self.opened["outcome"], objection)

    def refusal(self) -> ApiError | None:
        """Why the proxy key may begin nothing any more; None where it may, or the database does not answer."""
        try:
            outcome = self._ledger.check(self._key_hash)
        except (LedgerUnavailable, LedgerRefused):
            return None
        return None if outcome == "valid" else refused(outcome, None)

    def end(self, code: int, closed_by: str) -> None:
        """Note how it ended. closed_by: client, openai or spendai."""
        self._ledger.end_session({
            "id": self.id, "model": self.model, "upstream_session_id": self.upstream_id, "close_code": code,
            "closed_by": closed_by,
        })  # fmt: skip

    @property
    def shared(self) -> bool:
        """Whether its OpenAI key serves several organizations."""
        return self.opened["shared"]

    def call(
        self, facts: RequestFacts, seconds: int, path: str | None = None, seen_as: str | None = None
    ) -> SessionCall:
        """A call that is about to be made; path: OpenAI's, where it is not the session's own; seen_as: of the call."""
        route = self.route if path is None else self.route._replace(path=path)
        call = SessionCall(self, route, facts, seconds)
        call.seen_as = seen_as
        return call

    @property
    def entry(self) -> tuple[Ledger, bytes]:
        """The ledger, and the hash of the proxy key."""
        return self._ledger, self._key_hash


class SessionCall(Call):
    """A call within a session: one response, one transcript, or the seconds of the session itself.

    seen_as: OpenAI's id of what other connections may report too; None: nobody else does. See app.settle_seen.
    begun: what OpenAI said of it when it began, for a call whose end never comes.
    """

    def __init__(self, session: Session, route: Route, facts: RequestFacts, seconds: int) -> None:
        super().__init__(route, METHOD, RequestBody(objection=facts.objection, facts=facts), session.tags)
        self.session_id, self.region = session.id, session.region
        self.request_id, self.openai_project = session.request_id, session.openai_project
        ledger, self._key_hash = session.entry
        self._session, self._bookkeeper = session, Bookkeeper(ledger, seconds)
        self.opened = session.opened
        self.seen_as: str | None = None
        self.begun: AnswerFacts | None = None

    def open_message(self, key_hash: bytes, max_seconds: int) -> dict[str, Any]:
        """The message for app.open_calls, with the provider key of the session."""
        version = self._session.opened["provider_key_id"]
        return super().open_message(key_hash, max_seconds) | {"provider_key_id": version}

    def _common(self, facts: RequestFacts, tags: Tags, max_seconds: int) -> dict[str, Any]:
        message = super()._common(facts, tags, max_seconds)
        if self.seen_as and not self._session.shared:  # side connections need an own OpenAI key
            message |= {"seen_as": self.seen_as, "side": self._session.side}
        return message

    def open(self) -> None:
        """Write the open row, or raise ApiError: then nothing may be sent."""
        try:
            self._bookkeeper.open(self, self._key_hash)
        finally:  # whatever is stored now, the session goes on with the OpenAI key that it was opened with
            self.opened = self._session.opened

    def settle(self, status: int, outcome: str, facts: AnswerFacts | None = None) -> None:
        """Settle it, once; a row that is missing is written."""
        self._bookkeeper.settle(self, status, outcome, facts or self.begun)
