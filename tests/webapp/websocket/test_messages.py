"""What single messages mean for the ledger, without any connection: no response is lost, doubled or mixed up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alone import ListLedger

from webapp.gateway.refusals import REFUSED
from webapp.ledger.ledger import LedgerUnavailable
from webapp.metering.request import LARGE
from webapp.metering.tags import NO_TAGS
from webapp.websocket.live import Live
from webapp.websocket.meaning import mentions
from webapp.websocket.paths import PATHS
from webapp.websocket.realtime import Realtime, Translation
from webapp.websocket.responses import Responses
from webapp.websocket.session import Session

USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
CREATE = {"type": "response.create", "model": "m"}
PADDING = "x" * 70_000  # makes a message one that is not decoded as a whole


class Talk:
    """A session's meaning, a client and OpenAI; ``opened`` and ``settled``: the ledger's messages."""

    def __init__(self, kind: Any, *more: Any, shared: bool = False, path: str = "/responses") -> None:
        self.ledger = ListLedger()
        self.ledger.opened = {"shared": shared}
        self.opened: list[dict[str, Any]] = []
        session = Session(self.ledger, b"", PATHS[path].route, NO_TAGS)
        session.opened = self.ledger.open({}, None)
        self.answer = self.ledger.open
        self.ledger.open = self._open
        self.meaning = kind(session, 60, *more)

    def _open(self, message: dict[str, Any], stopped: Any) -> dict[str, Any]:
        self.opened.append(message)
        return self.answer(message, stopped)

    def asks(self, **message: Any) -> str | None:
        """The client sends a message; returns the code of the error, None where it is sent on."""
        refusal = self.meaning.asked(json.dumps(message).encode())
        return refusal and json.loads(refusal)["error"]["code"]

    def says(self, kind: str, **event: Any) -> None:
        """OpenAI sends an event."""
        self.meaning.answered(json.dumps({"type": kind, **event}).encode())

    def created(self, upstream_id: str | None, **more: Any) -> None:
        self.says("response.created", response={"id": upstream_id, **more})

    def done(self, upstream_id: str | None, kind: str = "completed", **more: Any) -> None:
        response = {"id": upstream_id, "model": "m", "status": kind, "usage": USAGE, **more}
        self.says("response.done" if isinstance(self.meaning, Realtime) else f"response.{kind}", response=response)

    @property
    def settled(self) -> list[tuple[Any, ...]]:
        """Outcome and OpenAI's id of each settled call."""
        return [(message["outcome"], message["upstream_object_id"]) for message in self.ledger.settled]

    def finish(self) -> list[tuple[Any, ...]]:
        """The session is over: every call that was opened is settled, or counts as lost."""
        self.meaning.finish(499)
        assert {message["id"] for message in self.opened} <= {message["id"] for message in self.ledger.settled}
        return self.settled


@pytest.fixture
def responses() -> Talk:
    return Talk(Responses)


@pytest.fixture
def realtime() -> Talk:
    return Talk(Realtime, "gpt-realtime-2", path="/realtime")


@pytest.fixture
def live() -> Talk:
    return Talk(Live, 120, path="/live/sessions")


@pytest.mark.parametrize("name", ["responses", "realtime"])
def test_responses_without_an_id_are_settled_each(name: str, request: pytest.FixtureRequest) -> None:
    talk = request.getfixturevalue(name)
    for _ in range(2):
        talk.asks(**CREATE)
        talk.created(None)
        talk.done(None)
    assert not talk.meaning.under_way
    assert talk.finish() == [("complete", None)] * 2


@pytest.mark.parametrize("name", ["responses", "realtime"])
def test_a_beginning_that_is_told_again_begins_nothing(name: str, request: pytest.FixtureRequest) -> None:
    talk = request.getfixturevalue(name)
    talk.asks(**CREATE)
    talk.created("r1")
    talk.asks(**CREATE)
    talk.created("r1")
    talk.done("r1")
    talk.created("r1")
    talk.created("r2")
    talk.done("r2")
    assert talk.finish() == [("complete", "r1"), ("complete", "r2")]
    assert len(talk.opened) == 2


def test_the_same_id_in_two_lanes_is_one_response(responses: Talk) -> None:
    responses.asks(**CREATE, stream_id="a")
    responses.says("response.created", response={"id": "r1"}, stream_id="a")
    responses.says("response.created", response={"id": "r1"}, stream_id="b")
    responses.done("r1")
    assert responses.finish() == [("complete", "r1")]


def test_what_openai_goes_on_with_after_a_steer_is_not_what_the_client_asked_for_next(responses: Talk) -> None:
    responses.asks(**CREATE | {"model": "first"})
    responses.created("r1")
    responses.says("response.steer.accepted", steer={"id": "s", "previous_response_id": "r1"})
    responses.asks(**CREATE | {"model": "second"})
    responses.done("r1", "incomplete", incomplete_details={"reason": "steered"})
    responses.created("r2", model="first", previous_response_id="r1")
    responses.done("r2")
    responses.created("r3")
    responses.done("r3")
    rows = [(message["upstream_object_id"], message["model_requested"]) for message in responses.ledger.settled]
    assert rows == [("r1", "first"), ("r2", "first"), ("r3", "second")]
    responses.finish()


@pytest.mark.parametrize("end", ["completed", "incomplete"])
def test_a_steered_response_is_under_way_until_its_successor_has_ended(responses: Talk, end: str) -> None:
    responses.asks(**CREATE)
    responses.created("r1")
    responses.says("response.steer.accepted", steer={"id": "s", "previous_response_id": "r1"})
    responses.done("r1", end)
    assert responses.meaning.under_way
    responses.created("r2", previous_response_id="r1")
    responses.done("r2")
    assert not responses.meaning.under_way


@pytest.mark.parametrize("kind", ["failed", "pending"])
def test_a_steer_that_leads_to_nothing_leaves_nothing_under_way(responses: Talk, kind: str) -> None:
    responses.asks(**CREATE)
    responses.created("r1")
    responses.says("response.steer.accepted", steer={"id": "s", "previous_response_id": "r1"})
    responses.done("r1")
    responses.says(f"response.steer.{kind}", steer={"id": "s", "previous_response_id": "r1"})
    assert not responses.meaning.under_way


def test_on_a_shared_key_a_client_may_name_lanes_and_what_this_session_made() -> None:
    talk = Talk(Responses, shared=True)
    objections = []
    for number, padding in enumerate(("", PADDING), 1):
        own = {"previous_response_id": f"r{number}"}
        assert talk.asks(**CREATE, stream_id="a", event_id="e", input=padding) is None
        talk.says("response.created", response={"id": f"r{number}"}, stream_id="a")
        assert talk.asks(type="response.steer", input=padding, **own) is None  # one that runs
        talk.done(f"r{number}")
        assert talk.asks(**CREATE, **own, input=padding) is None
        assert talk.asks(type="response.create", response={"model": "m", **own}) is None
        for others in ({"previous_response_id": "r9"}, {"conversation": "c"}, own | {"prompt": {"id": "p"}}):
            assert talk.asks(type="response.steer", **others, input=padding) == "needs_own_openai_key"
            talk.asks(**CREATE, **others, input=padding)
            objections.append(talk.opened[-1]["objection"])
    talk.asks(type="response.create", response={"model": "m"}, previous_response_id="r9")
    assert [*objections, talk.opened[-1]["objection"]] == ["needs_own_openai_key"] * 7


@pytest.mark.parametrize(("kind", "more"), [(Realtime, ["m"]), (Translation, ["m"]), (Live, [60])])
def test_on_a_shared_key_long_audio_with_an_event_id_passes(kind: Any, more: list[Any]) -> None:
    talk = Talk(kind, *more, shared=True)
    assert talk.asks(type="input_audio_buffer.append", event_id="e", audio=PADDING) is None
    assert talk.asks(type="x", event_id="e", audio=PADDING, session={"prompt": {"id": "p"}}) == "needs_own_openai_key"
    assert talk.asks(type="x", event_id={"file_id": "f"}) == "needs_own_openai_key"


@pytest.mark.parametrize("named", [True, False])
def test_an_error_settles_what_waits_in_the_lane_without_a_name(responses: Talk, named: bool) -> None:
    responses.asks(**CREATE, stream_id="a")
    responses.asks(**CREATE)
    responses.says("error", status=429, error={"code": "x"}, **({"stream_id": "a"} if named else {}))
    assert responses.settled == [("error", None)]
    assert [message["id"] for message in responses.ledger.settled] == [responses.opened[not named]["id"]]


@pytest.mark.parametrize("lane", [{}, {"stream_id": "a"}])
def test_an_error_out_of_a_running_response_leaves_what_waits_alone(responses: Talk, lane: dict[str, str]) -> None:
    responses.asks(**CREATE)
    responses.asks(**CREATE, **lane)
    responses.created("r1")
    responses.says("error", sequence_number=7, error={"type": "server_error"})
    assert responses.settled == []
    responses.done("r1", "failed")
    responses.says("response.created", response={"id": "r2"}, **lane)
    assert responses.finish() == [("complete", "r1"), ("no_usage", "r2")]
    assert len(responses.opened) == 2


def test_an_error_that_names_no_message_settles_a_create_without_an_event_id(realtime: Talk) -> None:
    realtime.asks(type="response.create")
    realtime.created("r1")
    realtime.asks(type="response.create", event_id="mine")
    realtime.asks(type="response.create")
    realtime.says("error", error={"code": "conversation_already_has_active_response", "event_id": None})
    assert realtime.settled == [("error", None)]
    assert realtime.ledger.settled[0]["id"] == realtime.opened[2]["id"]


def test_transcripts_of_each_content_part_are_billed_at_the_model_of_their_moment(realtime: Talk) -> None:
    def transcript(**more: Any) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        realtime.says(kind, usage={"type": "duration", "seconds": 2}, **more)

    transcript(item_id="i", content_index=0)
    realtime.says("session.updated", session={"audio": {"input": {"transcription": {"model": "whisper-1"}}}})
    transcript(item_id="i", content_index=1)
    transcript(item_id="i", content_index=1)
    transcript()
    transcript()
    assert [message["model"] for message in realtime.ledger.settled] == [None, *["whisper-1"] * 3]


WHISPER = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
TRANSCRIPT = "conversation.item.input_audio_transcription."
SECONDS = {"type": "duration", "seconds": 2}


@pytest.mark.parametrize("first", ["input_audio_buffer.committed", f"{TRANSCRIPT}delta", f"{TRANSCRIPT}segment"])
def test_a_transcript_that_openai_began_is_one_call_whether_or_not_its_end_comes(realtime: Talk, first: str) -> None:
    realtime.says("session.created", session=WHISPER)
    for item in ("ends", "lost"):
        realtime.says(first, item_id=item)
        assert realtime.meaning.under_way
        realtime.says(f"{TRANSCRIPT}delta", item_id=item, delta="Hello")
    realtime.says("session.updated", session={"audio": {"input": {"transcription": {"model": "another"}}}})
    realtime.says(f"{TRANSCRIPT}completed", item_id="ends", content_index=0, usage=SECONDS)
    realtime.says(f"{TRANSCRIPT}delta", item_id="ends", delta="told again")
    assert realtime.finish() == [("complete", "ends"), ("no_usage", "lost")]
    assert len(realtime.opened) == 2
    assert {message["model"] for message in realtime.ledger.settled} == {"whisper-1"}


@pytest.mark.parametrize("session", [{}, {"audio": {"input": {"transcription": None}}}])
def test_audio_that_is_not_transcribed_begins_no_call(realtime: Talk, session: dict[str, Any]) -> None:
    realtime.says("session.created", session=WHISPER)
    realtime.says("session.updated", session=session)
    realtime.says("input_audio_buffer.committed", item_id="i")
    assert not realtime.meaning.under_way
    assert realtime.finish() == []


def test_a_transcript_that_failed_costs_nothing_unless_words_of_it_were_told(realtime: Talk) -> None:
    realtime.says("session.created", session=WHISPER)
    for item in ("silent", "heard"):
        realtime.says("input_audio_buffer.committed", item_id=item)
    realtime.says(f"{TRANSCRIPT}delta", item_id="heard", content_index=0, delta="Hello")
    for item in ("silent", "heard", "never begun"):
        realtime.says(f"{TRANSCRIPT}failed", item_id=item, content_index=0, error={"code": "x"})
    assert not realtime.meaning.under_way
    assert realtime.finish() == [("error", "silent"), ("no_usage", "heard")]


def test_a_failed_response_without_usage_has_no_known_cost(responses: Talk, realtime: Talk) -> None:
    for talk in (responses, realtime):
        talk.asks(**CREATE)
        talk.done("r1", "failed", usage=None)
        assert talk.ledger.settled[0]["usage"] is None


@pytest.mark.parametrize("name", ["responses", "realtime", "live"])
def test_what_openai_began_and_never_ended_has_its_id_and_its_model(name: str, request: pytest.FixtureRequest) -> None:
    talk = request.getfixturevalue(name)
    talk.asks(type="session.start" if name == "live" else "response.create")
    if name == "live":
        talk.says("session.started", session={"id": "x", "model": "gpt-live-1"})
    else:
        talk.created("x", model="gpt-5.2")
    assert talk.finish() == [("no_usage", "x")]
    models = {"responses": "gpt-5.2", "realtime": "gpt-realtime-2", "live": "gpt-live-1"}
    assert talk.ledger.settled[0]["model"] == models[name]


@pytest.mark.parametrize("first", ["session.started", "session.usage.updated", "session.closed"])
def test_a_live_session_that_began_without_a_message_that_was_understood_has_a_row(live: Talk, first: str) -> None:
    live.asks(type="session.START")
    assert live.opened == []
    live.says(first, session={"id": "l", "model": "gpt-live-1"}, usage={"seconds": 30})
    assert len(live.opened) == 1
    live.says("session.closed", session={"id": "l", "model": "gpt-live-1"}, usage={"seconds": 60})
    live.finish()
    last = live.ledger.settled[-1]
    assert (last["model"], last["usage"]) == ("gpt-live-1", {"seconds": 30 if first == "session.closed" else 60})
    assert len(live.settled) == 1


def test_the_fork_of_a_live_session_names_no_model_until_it_has_started(live: Talk) -> None:
    live.asks(type="session.start", session={})
    live.says("session.started", session={"id": "l", "model": "gpt-live-1"})
    live.says("session.closed", usage={"seconds": 60})
    assert [(message["model"], message["usage"]) for message in live.ledger.settled] == [
        ("gpt-live-1", {"seconds": 60})
    ]


def test_live_seconds_told_after_the_end_change_nothing_and_a_second_session_is_another_call(live: Talk) -> None:
    for seconds in (60, 20):
        live.asks(type="session.start", session={"model": "gpt-live-1"})
        live.says("session.started", session={"id": "l", "model": "gpt-live-1"})
        live.says("session.closed", usage={"seconds": seconds})
        live.says("session.usage.updated", usage={"seconds": 90})
    live.finish()
    assert [message["usage"] for message in live.ledger.settled] == [{"seconds": 60}, {"seconds": 20}]


def test_the_end_of_a_live_session_that_tells_no_seconds_leaves_a_bound_below_its_cost(live: Talk) -> None:
    live.asks(type="session.start", session={"model": "gpt-live-1"})
    live.says("session.started", session={"id": "l", "model": "gpt-live-1"})
    live.says("session.usage.updated", usage={"seconds": 60})
    live.says("session.closed")
    assert [message["usage"] for message in live.ledger.settled] == [{"seconds": 60, "at_least": True}]


def test_a_live_session_that_openai_refuses_costs_nothing(live: Talk) -> None:
    live.asks(type="session.start", session={"model": "x"})
    live.says("error", error={"code": "model_not_found"})
    assert live.finish() == [("error", None)]


def test_decisions_and_nested_responses_that_are_told_again_are_billed_once(live: Talk) -> None:
    decided = {"type": "decision.completed", "decision": {"model": "d", "usage": USAGE}}
    for event_id in ("e1", "e1", "e2"):
        live.says("decision.event", event_id=event_id, event=decided)
    for _ in range(2):
        done = {"type": "response.completed", "response": {"id": "r", "model": "m", "usage": USAGE}}
        live.says("response.event", delegation_id="d", event=done)
    assert live.finish() == [("complete", None), ("complete", None), ("complete", "r")]


def test_what_openai_began_by_itself_is_billed_also_when_its_row_cannot_be_opened(realtime: Talk) -> None:
    def away(message: Any, stopped: Any) -> Any:
        raise LedgerUnavailable("away", sent=True)

    realtime.answer = away
    realtime.created("r1")
    realtime.done("r1")
    assert realtime.settled == [("complete", "r1")]
    # The ledger notes that nothing was sent for the id that it may have stored: the settled call has another.
    assert realtime.ledger.settled[0]["id"] != realtime.opened[0]["id"]


def test_a_revoked_key_bills_what_openai_began_and_ends_the_session(realtime: Talk) -> None:
    realtime.answer = lambda message, stopped: {"outcome": "revoked_key"}
    realtime.created("r1")
    assert realtime.meaning.closing.reason == REFUSED["revoked_key"][2]
    realtime.done("r1")
    assert realtime.settled == [("complete", "r1")]


@pytest.mark.parametrize("text", [
    '{"type":"response.cr\\u0065ate","model":"m"}', '\ufeff{"type":"response.create","model":"m"}',
    '{"t\\u0079pe":"response.create","model":"m","x":NaN}', '{"type":"response.create","model":"m","input":"\\ud800"}',
    '{"type":"response.create","model":"m","input":"' + PADDING + '"}',
])  # fmt: skip
@pytest.mark.parametrize("name", ["responses", "realtime"])
def test_however_a_create_is_written_it_is_opened(text: str, name: str, request: pytest.FixtureRequest) -> None:
    talk = request.getfixturevalue(name)
    assert talk.meaning.asked(text.encode()) is None
    assert len(talk.opened) == 1


def test_a_refusal_of_a_member_with_a_lone_surrogate_can_be_written() -> None:
    for talk in (Talk(Responses, shared=True), Talk(Live, 60, shared=True), Talk(Realtime, "m", shared=True)):
        refusal = talk.meaning.asked(b'{"type":"x","\\ud800_id":"x"}')
        assert json.loads(refusal)["error"]["code"] == "needs_own_openai_key"


@pytest.mark.parametrize("at", [0, LARGE - 17, LARGE - 1, LARGE, 2 * LARGE - 1, 3 * LARGE])
def test_others_run_while_a_long_message_is_searched_and_nothing_in_it_is_missed(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[int] = []
    monkeypatch.setattr("webapp.websocket.meaning.Pause", lambda: lambda: rests.append(1))
    quotes, name = b'"' * 3 * LARGE, b'"response.created"'
    assert mentions(quotes[:at] + name + quotes[at:], (b'"x"', name))
    rests.clear()
    assert not mentions(quotes, (b'"x"', name))
    assert len(rests) == 3
