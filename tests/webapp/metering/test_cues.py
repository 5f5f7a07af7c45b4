"""Subtitles: when the last cue begins, whatever the pieces they come in."""

from __future__ import annotations

import pytest

from webapp.metering.cues import MAX_LINE_BYTES, Cues

SRT = b"1\n00:00:00,000 --> 00:00:03,320\nOne.\n\n2\n01:02:03,004 --> 01:02:08,000\nTwo.\n"
VTT = b"WEBVTT\n\n00:00.000 --> 00:03.320\nOne.\n\n00:03.320 --> 00:30.000\nTwo.\n"
LONG = b"WEBVTT\n\n100:00:00.000 --> 100:00:01.000\nx\n"


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (SRT, 3_723_004),
        (SRT.replace(b"\n", b"\r\n"), 3_723_004),
        (VTT, 3_320),
        (LONG, 360_000_000),
        (b"he said 00:00:09,000 --> 00:00:10,000\n", 0),
        (b"x" * 200 + b"00:00:09,000 --> 00:00:10,000\n", 0),
        (b"00:99:00,000 --> 00:99:01,000\n", 0),
        (b"just text", 0),
        (b"", 0),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_the_beginning_of_the_last_cue_is_found(text, last, size):
    cues = Cues()
    for at in range(0, len(text), size):
        cues.add(text[at : at + size])
    assert cues.answer() == ({"last_cue_ms": last}, False)


def test_no_text_is_kept_beyond_the_line_that_is_not_over():
    cues = Cues()
    for _ in range(1000):
        cues.add(b"secret " * 100)
    assert len(cues._line) <= MAX_LINE_BYTES
