"""Server-sent events as they pass: where each begins and ends, and which bytes the client may have now.

Why an own parser: those of libraries return parsed events, from which the client's bytes (line ends, comments, the
cutting into chunks) cannot be restored. This one passes every chunk on at once, also half an event as soon as its
beginning shows that metering does not need it, holds back the end of the answer until the commit, hides one event
where it must, and keeps no event that is larger than MAX_EVENT_BYTES. With stream.py it also leaves most events
unparsed: it takes 0.9 times as long as cutting at empty lines and a json.loads of every event, for a chat stream as
for a response (`.venv/bin/python bench/metering.py` repeats the figures).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from webapp.metering.verdicts import Judge, Unread, Verdict

MAX_EVENT_BYTES = 16 * 1024 * 1024  # a larger event is passed on unread
HEAD_BYTES = 4096  # an unfinished event is judged by so many bytes of its beginning

BOM = b"\xef\xbb\xbf"
# A line end and the empty line after it. CRLF is one line end, also where it could be read as two.
_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n?|\n)")
_LINE = re.compile(rb"\r\n|\n|\r")
# Almost every event there is: at most a name, and one line of data.
_USUAL = re.compile(rb"(?:event: ([^\r\n]*)\n)?data: ([^\r\n]*)\n{0,2}")


def fields(event: bytes) -> tuple[bytes, bytes]:
    """The name and the data of an event; b"" where it has none. Comments and unknown fields are left out."""
    # Nearly every event of a chat is one line of data: searching for its end takes a third of the time of matching.
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and event[-1] == 10 and b"\r" not in event:
        return b"", event[6:-2]
    if usual := _USUAL.fullmatch(event):
        return usual[1] or b"", usual[2]
    name, data = b"", []
    for line in _LINE.split(event.removeprefix(BOM)):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return name, b"\n".join(data)


class SseTee:
    """Cuts a stream into events wherever its chunks are cut, and gives the bytes on as the judge decides.

    ``ended``: the end of the answer, or what may be its end, was seen and is held back. ``terminal``: no more is read.
    ``failure``: what the judge raised, if it did. It is not asked again; the rest of the stream passes unread.
    """

    def __init__(self, judge: Judge) -> None:
        self.terminal = self.ended = False
        self.failure: Exception | None = None
        self._judge = judge
        self._event = bytearray()  # what is kept of the unfinished event
        self._given = 0  # how many bytes of it the client has
        self._verdict = Verdict.WAIT  # on the unfinished event
        self._orphan_lf = False  # if a line feed comes next, it is the end of a hidden event's CRLF
        self._held = bytearray()
        self._released = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of the stream; returns those the client may have now."""
        if self._released:
            return chunk
        if self.ended:
            self._hold_back(chunk)
            return b""
        if not self._event and not self._orphan_lf:
            if _is_one_event(chunk):
                return self._whole(chunk)
            end, passed = self._run(chunk)
            if end:
                return passed + self._cut(chunk[end:], False, 0)
        data, begun, seen = chunk, bool(self._event), 0
        if begun:
            seen = max(0, len(self._event) - 2)  # a line end may be cut in two
            self._event += chunk
            data = self._event
        return self._cut(data, begun, seen) if chunk else b""

    def finish(self) -> None:
        """The stream is over: judge the last event, which had no empty line after it, and hold it."""
        if self.terminal:
            return
        rest, verdict = self._event[self._given :], Verdict.PASS
        if self._event and self._verdict is not Verdict.SKIP:
            verdict = self._ask(self._judge.event, self._event)
        if not self._given and verdict in (Verdict.HIDE, Verdict.EDIT):
            rest = self._judge.edited if verdict is Verdict.EDIT else b""
        self._hold(rest)

    def release(self) -> bytes:
        """The bytes held back; everything fed from now on passes."""
        self._released = True
        held, self._held = bytes(self._held), bytearray()
        return held

    def _whole(self, event: bytes) -> bytes:
        """A chunk that is one event, as nearly all are."""
        verdict = self._ask(self._judge.event, event)
        if verdict is Verdict.PASS:
            return event
        if verdict is Verdict.EDIT:
            return self._judge.edited
        if verdict is Verdict.END:
            self._hold(event)
        elif verdict is Verdict.HOLD:
            self._hold_from(event)
        return b""

    def _cut(self, data: bytes | bytearray, begun: bool, seen: int) -> bytes:
        """Judge every event that ends in `data`; `begun`: the first began in an earlier chunk, ends behind `seen`."""
        out: list[bytes | bytearray] = []
        given, at, carriage_returns = self._given, 0, data.find(b"\r", seen) >= 0
        while True:
            if not begun:
                at, given = self._skip_line_ends(data, at, given, out)
                self._verdict, seen = Verdict.WAIT, at
            end = _end(data, seen, carriage_returns)
            if end < 0:
                break
            verdict = Verdict.PASS if self._verdict is Verdict.SKIP else self._ask(self._judge.event, data[at:end])
            if verdict is Verdict.END:
                out.append(data[given : max(given, at)])
                self._hold(data[max(given, at) :])
                return b"".join(out)
            if verdict is Verdict.HOLD:
                out.append(data[given : max(given, at)])
                self._hold_from(data[max(given, at) : end], data[end:])
                return b"".join(out)
            if verdict is not Verdict.PASS and given <= at:  # HIDE or EDIT
                out.append(data[given:at])
                if verdict is Verdict.EDIT:
                    out.append(self._judge.edited)
                given, self._orphan_lf = end, verdict is Verdict.HIDE and data[end - 1] == 13 and end == len(data)
            at, begun = end, False
        self._keep(data, at, given, out)
        return b"".join(out)

    def _ask(self, question: Callable[[bytes], Verdict], part: bytes | bytearray) -> Verdict:
        try:
            return question(bytes(part))
        except Exception as error:  # a defect in reading an answer must not keep the client from getting it
            self.failure, self._judge = error, Unread()
            return Verdict.PASS

    def _run(self, chunk: bytes) -> tuple[int, bytes]:
        try:
            return self._judge.run(chunk)
        except Exception as error:  # as in _ask
            self.failure, self._judge = error, Unread()
            return 0, b""

    def _skip_line_ends(
        self, data: bytes | bytearray, at: int, given: int, out: list[bytes | bytearray]
    ) -> tuple[int, int]:
        """Empty lines between events pass, except the line feed of a hidden event's last CRLF."""
        if self._orphan_lf and at < len(data):
            self._orphan_lf = False
            if data[at] == 10:
                out.append(data[given:at])
                at = given = at + 1
        while at < len(data) and data[at] in b"\r\n":
            at += 1
        return at, given

    def _keep(self, data: bytes | bytearray, at: int, given: int, out: list[bytes | bytearray]) -> None:
        """Judge the unfinished event that begins at `at`: pass what the client may have, keep what is still needed."""
        rest = len(data) - at
        if rest and self._verdict is Verdict.WAIT:
            self._verdict = self._ask(self._judge.head, data[at : at + HEAD_BYTES])
        if rest > MAX_EVENT_BYTES:
            self._verdict = Verdict.SKIP
        passing = not rest or self._verdict is not Verdict.WAIT
        out.append(data[given:] if passing else data[given:at])
        if data is not self._event:
            self._event = bytearray(data[at:]) if rest else self._event
        elif at:
            del self._event[:at]
        if self._verdict is Verdict.SKIP:
            del self._event[:-2]  # enough to see its end
        self._given = len(self._event) if passing else 0

    def _hold(self, data: bytes | bytearray) -> None:
        self._held += data
        self._event = bytearray()
        self.terminal = self.ended = True

    def _hold_from(self, event: bytes | bytearray, rest: bytes | bytearray = b"") -> None:
        """Hold back an event and all that follows, and read on in `rest`."""
        self._held += event
        self._event, self._given, self._verdict = bytearray(), 0, Verdict.WAIT
        self.ended = True
        self._hold_back(bytes(rest))

    def _hold_back(self, chunk: bytes) -> None:
        """Read a chunk after the end; what would go to the client is held."""
        if not self.terminal:
            before, self._held, self.ended = self._held, bytearray(), False
            passed = self.feed(chunk)
            self._held = before + passed + self._held
            self.ended, chunk = True, b""
            if len(self._held) > MAX_EVENT_BYTES:
                self.finish()
        self._held += chunk


def _is_one_event(chunk: bytes) -> bool:
    """Whether a chunk is one whole event and nothing else."""
    return 0 < chunk.find(b"\n\n") == len(chunk) - 2 and chunk[0] != 10 and b"\r" not in chunk


def _end(data: bytes | bytearray, at: int, carriage_returns: bool) -> int:
    """The place behind the first end of an event that is found from `at` on, or -1."""
    if carriage_returns:
        match = _END.search(data, at)
        return match.end() if match else -1
    end = data.find(b"\n\n", at)
    return end + 2 if end >= 0 else -1
