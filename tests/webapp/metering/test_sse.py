"""Server-sent events: cut as the specification says, wherever the chunks are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.metering.sse import SseTee, fields
from webapp.metering.verdicts import Verdict

KINDS = [
    b"data: a",
    b"data:b",
    b"data",
    b"data:  c",
    b"data: \xc3\xbc",
    b"event: x",
    b"event:",
    b": note",
    b"junk",
    b"id: 1",
]
LINES = st.lists(st.sampled_from([*KINDS, b"", b"", b"", b"data: hide", b"data: end"]), max_size=12)
STREAMS = st.tuples(LINES, st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=12, max_size=12)).map(
    lambda pair: b"".join(line + end for line, end in zip(*pair, strict=False))
)


def spec(stream: bytes) -> list[tuple[bytes, bytes]]:
    """Events with data, by the HTML standard's own steps; a last event without its empty line counts too."""
    events, name, data = [], b"", []
    lines = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for line in [*lines, b""]:
        if line == b"":
            if data and b"\n".join(data):
                events.append((name, b"\n".join(data)))
            name, data = b"", []
        elif not line.startswith(b":"):
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value
    return events


class Watcher:
    """Records every event; hides `hide`, ends at `end`, waits until an event is whole."""

    def __init__(self, *, early: bool) -> None:
        self.seen: list[tuple[bytes, bytes]] = []
        self._early = early

    def head(self, head: bytes) -> Verdict:
        return Verdict.PASS if self._early else Verdict.WAIT

    def run(self, data: bytes) -> tuple[int, bytes]:
        return 0, b""

    def event(self, event: bytes) -> Verdict:
        name, data = fields(event)
        if data:
            self.seen.append((name, data))
        if self._early:
            return Verdict.PASS
        return {b"hide": Verdict.HIDE, b"end": Verdict.END}.get(data, Verdict.PASS)


def run(stream: bytes, places: list[int], *, early: bool = False) -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
    watcher = Watcher(early=early)
    tee = SseTee(watcher)
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    before = b"".join(tee.feed(stream[a:b]) for a, b in itertools.pairwise(edges))
    tee.finish()
    return before, tee.release(), watcher.seen


PLACES = st.lists(st.integers(0, 200), max_size=30)


@given(STREAMS, PLACES)
def test_events_are_those_of_the_specification_however_the_stream_is_cut(stream, places):
    before, after, seen = run(stream, places, early=True)
    assert before + after == stream
    assert seen == spec(stream)


@given(STREAMS, PLACES)
@example(b"data: hide\r\n\r\ndata: a\r\n\r\n", [13])
@example(b"data: hide\r\rdata: a\r\r\n\n", [12])
def test_hiding_and_holding_do_not_depend_on_how_the_stream_is_cut(stream, places):
    assert run(stream, places) == run(stream, [])
    before, after, _ = run(stream, places)
    up_to_end = list(itertools.takewhile(lambda event: event[1] != b"end", spec(stream)))
    assert spec(before + after) == [e for e in up_to_end if e[1] != b"hide"] + spec(stream)[len(up_to_end) :]
    assert b"end" not in [data for _, data in spec(before)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_hidden_event_leaves_no_byte_behind(end):
    stream = b"data: a" + end * 2 + b"data: hide" + end * 2 + b"data: b" + end * 2
    for place in range(len(stream)):
        before, after, _ = run(stream, [place])
        assert before + after == b"data: a" + end * 2 + b"data: b" + end * 2


def test_every_byte_alone_is_enough():
    stream = "event: x\r\ndata: ü\r\n\r\n: note\n\ndata: a\rdata: b\r\r".encode()
    assert run(stream, list(range(len(stream))), early=True)[2] == [(b"x", "ü".encode()), (b"", b"a\nb")]


def test_a_finished_event_goes_on_at_once_also_when_lines_end_in_carriage_returns():
    tee = SseTee(Watcher(early=False))
    assert tee.feed(b"data: a\r\r") == b"data: a\r\r"
    assert tee.feed(b"data: b\r\n\r") == b"data: b\r\n\r"
    assert tee.feed(b"\ndata: c") == b"\n"


def test_after_the_release_everything_passes():
    tee = SseTee(Watcher(early=False))
    assert tee.feed(b"data: a\n\ndata: end\n\nrest") == b"data: a\n\n"
    assert tee.terminal and tee.feed(b"more") == b""
    assert tee.release() == b"data: end\n\nrestmore"
    assert tee.feed(b"data: end\n\n") == b"data: end\n\n"


def test_a_byte_order_mark_is_no_part_of_the_first_field():
    assert fields(b"\xef\xbb\xbfdata: a\n\n") == (b"", b"a")
