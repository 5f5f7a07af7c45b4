"""The meter: passes the bytes of one answer to the client, and says at the end what usage they reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webapp.metering.answer import AnswerFacts, AskedCall, members_of, read_answer
from webapp.metering.batch_output import BatchOutput
from webapp.metering.beginning import EVENTS, MEDIA, Beginning
from webapp.metering.cues import FORMATS, Cues
from webapp.metering.inflate import Inflater
from webapp.metering.plain import AnswerReader, InflatedSseTee, JsonCopy, PlainTee
from webapp.metering.request import BATCH_OUTPUT, RequestFacts
from webapp.metering.scan import no_pause
from webapp.metering.sse import SseTee
from webapp.metering.stream import StreamReader


@dataclass
class Meter:
    """Feed it the chunks of an answer's body and send on what `feed` returns, until `terminal`; commit, then `release`.

    `endpoint` is OpenAI's path (`/v1/responses`); `content_type` and `content_encoding` are the answer's headers, "" if
    absent. Where they contradict the first byte of the body, the body counts (see beginning.py). The bytes returned are
    exactly the bytes fed, unless the gateway itself asked for the usage (`facts.injected`): then the event with the
    usage is missing, and `"usage":null` in the others. `pause` is called between two steps of reading a large answer,
    so that other calls run.
    """

    endpoint: str
    method: str
    facts: RequestFacts
    status: int
    content_type: str
    content_encoding: str
    pause: Callable[[], None] = no_pause

    def __post_init__(self) -> None:
        kind = self.content_type.partition(";")[0].strip().lower()
        self._label = kind == "text/event-stream"
        self._beginning: Beginning | None = None  # what is there of a beginning that does not tell yet
        self._build(is_stream=self._label)
        if self._label or (self.facts.stream and not kind.startswith(MEDIA)):
            self.feed = self._feed_first

    def _build(self, *, is_stream: bool) -> None:
        encoding, kind = self._encoding, self.content_type.partition(";")[0].strip().lower()
        inflater = Inflater(encoding) if Inflater.can(encoding) else None
        self._copy: AnswerReader | None = None
        self._reader: StreamReader | None = None
        self._tee: SseTee | PlainTee | InflatedSseTee
        if is_stream and (inflater or not encoding):
            self._reader = StreamReader(self.endpoint, self.facts, self.pause, hide=self.edits and not inflater)
            events = SseTee(self._reader)
            self._tee = InflatedSseTee(events, inflater) if inflater else events
        else:
            self._copy = self._reading(kind) if self._succeeded and (inflater or not encoding) else None
            self._tee = PlainTee(self._copy, inflater)
        self.feed = self._tee.feed  # one function call less for every chunk
        self.release = self._tee.release

    def _feed_first(self, chunk: bytes) -> bytes:
        """As `feed`, until the first byte tells whether the label is right; bytes before it are held."""
        if self._beginning is None and self._label and chunk.startswith(EVENTS):
            self.feed = self._tee.feed
            return self.feed(chunk)
        self._beginning = beginning = self._beginning or Beginning(self._encoding, label=self._label)
        is_stream = beginning.add(chunk)
        if is_stream is None:
            return b""
        if is_stream != self._label:
            self._build(is_stream=is_stream)
        self._beginning, self.feed = None, self._tee.feed
        return self.feed(beginning.held)

    def finish(self) -> None:
        """The answer is over. Where nothing told what it is, the label counts."""
        tee, early = self._tee, b""
        if self._beginning:
            early = tee.feed(self._beginning.held)
        tee.finish()
        if early:
            self.release = lambda: early + tee.release()

    @property
    def edits(self) -> bool:
        """Whether the client may get other bytes than upstream sent."""
        return self.facts.injected and self._succeeded

    @property
    def _encoding(self) -> str:
        return self.content_encoding.strip().lower().replace("identity", "")

    @property
    def ended(self) -> bool:
        """Whether the end of the answer, or what may be its end, waits for `release`; usage may still follow."""
        return self._tee.ended

    def _reading(self, kind: str) -> AnswerReader | None:
        """What reads an answer of this content type that is no stream; None for one that says nothing of its cost."""
        if self.endpoint == BATCH_OUTPUT and self.method == "GET" and self.status == 200:  # no range
            return BatchOutput(self.pause)
        if "json" not in kind and self.facts.details.get("response_format") in FORMATS:
            return Cues()
        readable = not kind or "json" in kind or self._label
        return JsonCopy(members_of(self.endpoint, self.method), self.pause) if readable else None

    @property
    def terminal(self) -> bool:
        """Whether the answer's end has come: its last event or chunk, and all bytes after it, wait for `release`."""
        return self._tee.terminal

    @property
    def failure(self) -> Exception | None:
        """What was raised while the answer was read, if anything; the client got its bytes all the same."""
        return self._tee.failure

    def result(self, complete: bool) -> AnswerFacts:
        """What the answer said; `complete` tells whether upstream ended it properly.

        If reading the answer failed: what was read before the failure, and never complete.
        """
        complete = complete and self.failure is None
        if not self._succeeded:
            return AnswerFacts(complete=complete)
        call = AskedCall(self.endpoint, self.method, self.facts)
        if self._reader:
            answer = self._reader.answer(whole=complete)
            facts = read_answer(call, answer, self._reader.items, complete=False, doubtful=self._reader.doubtful)
            return facts._replace(complete=complete and self._reader.metered and not self._reader.doubtful)
        answer, doubtful = self._copy.answer() if self._copy and not self.failure else ({}, False)
        return read_answer(call, answer, [], complete=complete, doubtful=doubtful)

    @property
    def _succeeded(self) -> bool:
        return 200 <= self.status < 300
