"""The paths of OpenAI's API that have a WebSocket, and what the messages on each of them mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from webapp.config import Config
from webapp.errors import ApiError
from webapp.gateway.routes import SEGMENT, Route
from webapp.websocket.live import Live
from webapp.websocket.meaning import Meaning
from webapp.websocket.realtime import Realtime, Translation
from webapp.websocket.responses import Responses
from webapp.websocket.session import METHOD, Session

GRACE_SECONDS = 300  # a row of a whole session waits so much longer for its end than the session may last
ATTACH = re.compile(r"/live/sessions/[^/]+/attach")
ATTACHED = ApiError(
    403, "endpoint_not_allowed", "SpendAI does not forward a connection that is attached to a Live session: its seconds"
    " are told to the connection that began it, so they would be counted twice"
)  # fmt: skip


class Endpoint(NamedTuple):
    """A path with a WebSocket. own_key: it names something that OpenAI stores; make: (session, settings, model)."""

    route: Route
    make: Callable[[Session, Config, str | None], Meaning]
    own_key: bool = False


def longest(config: Config) -> int:
    """Seconds after which a session, or a call that lasts as long as its session, is in doubt."""
    return config.websocket_seconds + GRACE_SECONDS


def _responses(session: Session, config: Config, _model: str | None) -> Meaning:
    return Responses(session, config.call_max_seconds)


def _realtime(session: Session, config: Config, model: str | None) -> Meaning:
    return Realtime(session, config.call_max_seconds, model)


def _translation(session: Session, config: Config, model: str | None) -> Meaning:
    return Translation(session, longest(config), model)


def _live(session: Session, config: Config, _model: str | None) -> Meaning:
    return Live(session, config.call_max_seconds, longest(config))


def _route(path: str, makes: str = "") -> Route:
    return Route(METHOD, path, "always", "priced", makes, "")


PATHS = {
    "/responses": Endpoint(_route("/responses", "response"), _responses),
    "/realtime": Endpoint(_route("/realtime"), _realtime),
    "/realtime/translations": Endpoint(_route("/realtime/translations"), _translation),
    "/live/sessions": Endpoint(_route("/live/sessions"), _live),
}
FORK = re.compile(rf"/live/sessions/{SEGMENT.pattern}/fork")
FORKED = Endpoint(_route("/live/sessions"), _live, own_key=True)


def find(path: str) -> Endpoint | None:
    """The WebSocket at a raw path after /api/v1/proxy. Raises ApiError for one that is refused."""
    if ATTACH.fullmatch(path):
        raise ATTACHED.anew()
    return PATHS.get(path) or (FORKED if FORK.fullmatch(path) else None)
