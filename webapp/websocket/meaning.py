"""What the messages of a session mean for the ledger: the part that Responses, Realtime and Live have in common.

A message of the client passes through ``asked`` before it goes to OpenAI: what it begins is opened in the ledger, or
the client gets an error and nothing is sent. A message of OpenAI's passes through ``answered`` before it goes to the
client: what it ends is settled.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from webapp.errors import ApiError
from webapp.gateway.refusals import refused
from webapp.metering import AnswerFacts, RequestFacts
from webapp.metering.answer import AskedCall, read_answer
from webapp.metering.jsonwalk import Doubled, decode
from webapp.metering.references import DUPLICATE_KEYS, UNREADABLE
from webapp.metering.request import LARGE, read_fields, read_json_request
from webapp.metering.selected import Selection, select
from webapp.metering.text import clean
from webapp.metrics.measured import count_refused
from webapp.pause import Pause
from webapp.websocket.session import Session, SessionCall

MAX_WORD_CHARS = 200
REMEMBERED = 4096  # ids of ended responses
REFUSED = (401, 403)  # statuses of a key that may begin nothing any more
POLICY = 1008  # close code
ENDING = ApiError(503, "restarting", "SpendAI ends this session, for example to restart; connect again")


class Closing(NamedTuple):
    """How SpendAI ends a session: close code and reason."""

    code: int
    reason: str


class Meaning:
    """The calls of one session. seconds: a call is in doubt when it is not settled after so many.

    local: members of a client's messages that name only what belongs to this session; see ``is_own``.
    """

    local: tuple[str, ...] = ()

    def __init__(self, session: Session, seconds: int) -> None:
        self.session, self.seconds = session, seconds
        self.running: dict[str, SessionCall] = {}  # id at OpenAI → call
        self.newest: SessionCall | None = None  # of the calls that the client has asked for
        self.closing: Closing | None = None  # why the session has to end
        self.stopping = False  # whether nothing new may be begun
        self._ended: OrderedDict[str, None] = OrderedDict()  # ids of those that are settled

    @property
    def under_way(self) -> bool:
        """Whether something was begun that OpenAI has not ended yet."""
        return bool(self.running)

    def asked(self, data: bytes) -> bytes | None:
        """The client's message is about to be sent. Returns the error for the client where it must not be."""
        raise NotImplementedError

    def answered(self, data: bytes) -> None:
        """OpenAI's message is about to be passed on."""
        raise NotImplementedError

    def withholds(self, data: bytes) -> bool:
        """Whether OpenAI's message is not for the client."""
        return False

    def farewell(self) -> bytes | None:
        """What OpenAI gets when the client is gone, so that it tells the usage; None: nothing."""
        return None

    def is_own(self, name: str, value: Any) -> bool:
        """Whether a member of a client's message names only what belongs to this session, in spite of its name."""
        return name in self.local and type(value) is str

    def check(self, data: bytes, fields: dict[str, Any]) -> None:
        """Raise ApiError for a message that may not be sent with an OpenAI key that several organizations share."""
        if not self.session.shared:
            return
        large = len(data) > LARGE
        facts = read_json_request("", data, Pause(), self.is_own) if large else read_fields("", fields, self.is_own)
        if found := facts.objection:
            raise refused(found.code, found)

    def left(self) -> list[SessionCall]:
        """The calls whose end never came."""
        return list(self.running.values())

    def finish(self, status: int) -> None:
        """The session is over: settle what OpenAI has not ended. OpenAI may bill it, so its cost is not known."""
        for call in self.left():
            call.settle(status, "no_usage")

    def opened(self, facts: RequestFacts, path: str | None = None) -> SessionCall:
        """A call that is written down now, before it is sent. Raises ApiError."""
        if self.stopping:
            raise ENDING.anew()
        call = self.session.call(facts, self.seconds, path)
        call.open()
        self.newest = call
        return call

    def seen(self, facts: RequestFacts, path: str | None = None, seen_as: str | None = None) -> SessionCall:
        """A call that OpenAI has begun without a message of the client.

        It is billed, so it is written down also where it cannot be opened (the key was revoked, the database is away):
        then when it is settled, with another id, because the ledger may note about the first id that nothing was sent.
        """
        facts = facts._replace(objection=None)
        call = self.session.call(facts, self.seconds, path, seen_as)
        try:
            call.open()
        except ApiError as error:
            if error.status in REFUSED:
                self.closing = Closing(POLICY, error.message)
            return self.session.call(facts, self.seconds, path, seen_as)
        return call

    def is_new(self, upstream_id: str) -> bool:
        """Whether a response has just begun: it has an id, and OpenAI has not told of it before."""
        return bool(upstream_id) and upstream_id not in self.running and upstream_id not in self._ended

    def begin(self, upstream_id: str, call: SessionCall, model: str | None = None) -> None:
        """OpenAI has begun a call."""
        call.first_byte = call.first_byte or time.monotonic()
        call.begun = AnswerFacts(model=model, object_id=upstream_id or None)
        self.running[upstream_id] = call

    def forget(self, upstream_id: str) -> None:
        """Remember that something has ended; "" is no id: what has none is never taken for a repetition."""
        if upstream_id:
            self._ended[upstream_id] = None
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def has_ended(self, upstream_id: str) -> bool:
        """Whether it was settled before: OpenAI has repeated its end."""
        return upstream_id in self._ended

    def settle(
        self,
        call: SessionCall,
        answer: dict[str, Any],
        items: Iterable[dict[str, Any]] = (),
        *,
        doubtful: bool = False,
        status: int = 200,
    ) -> None:
        """Settle with the final object of an answer."""
        asked = AskedCall(call.endpoint, "POST", call.body.facts())
        facts = read_answer(asked, answer, list(items), complete=True, doubtful=doubtful)
        call.settle(status, "complete" if facts.complete else "no_usage", facts)


def refuse(error: ApiError, **more: Any) -> dict[str, Any]:
    """Count a message of the client's that is not sent, and return the error for the client, as OpenAI writes one into
    a session. more: members that say which message it answers."""
    count_refused(error.status)
    told = {name: value for name, value in more.items() if value is not None}
    return {"type": "error", "status": error.status, "error": error.body()["error"], **told}


def read_message(data: bytes, selection: Selection) -> dict[str, Any]:
    """A client's message; of one that is large only the selected members. Raises ApiError.

    Two parsers may read a name that is there twice differently: such a message is refused, since one of them would not
    see what it begins.
    """
    if len(data) > LARGE:
        fields, doubtful = select(data, selection, Pause())
        if not fields:
            raise ApiError(400, UNREADABLE, "This message is no JSON object")
    else:
        try:
            fields = decode(data.decode().removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            raise ApiError(400, UNREADABLE, "This message is no JSON object") from None
        doubtful = type(fields) is Doubled
    if doubtful:
        raise ApiError(400, DUPLICATE_KEYS, "An object in this message has the same key twice")
    return fields


def read_event(data: bytes, selection: Selection) -> tuple[dict[str, Any], bool]:
    """OpenAI's message, and whether it is doubtful; see selected.select."""
    return select(data, selection, Pause())


def mentions(data: bytes, names: tuple[bytes, ...]) -> bool:
    """Whether a message holds one of these texts. One search for all of them: a message of audio is long."""
    search = _any_of(names).search
    if len(data) <= LARGE:
        return search(data) is not None
    pause, longest = Pause(), max(map(len, names))
    for at in range(0, len(data), LARGE):  # a long message of quotation marks takes a second
        if search(data, at, at + LARGE + longest):
            return True
        pause()
    return False


@cache
def _any_of(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, names)))


def word(value: Any) -> str | None:
    """A short text, None for anything else."""
    return clean(value, MAX_WORD_CHARS)
