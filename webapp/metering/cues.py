"""Subtitles (SRT, VTT) instead of a JSON answer: when the last cue begins. Their text is not kept."""

from __future__ import annotations

import re
from typing import Any

FORMATS = ("srt", "vtt")
MAX_LINE_BYTES = 64  # of an unfinished line; the line with the times of a cue is shorter
_CUE = re.compile(rb"^(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)[.,](\d{3})[ \t]+-->[ \t]", re.M)


class Cues:
    """Reads an answer piece by piece. `last`: milliseconds at which the last cue begins.

    A cue begins before the recording ends. Its own end says nothing: Whisper hears 30 seconds at a time, filled up
    with silence, so the last cue may end after the recording.
    """

    def __init__(self) -> None:
        self.last = 0
        self._line = b""

    def add(self, piece: bytes) -> None:
        """Take the next bytes of the answer."""
        text = self._line + piece
        for cue in _CUE.finditer(text):
            hours, minutes, seconds, thousandths = (int(part or 0) for part in cue.groups())
            self.last = max(self.last, ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths)
        begin = text.rfind(b"\n") + 1
        self._line = text[begin : begin + MAX_LINE_BYTES]

    def answer(self) -> tuple[dict[str, Any], bool]:
        """The answer as far as it was read, in the shape of JsonCopy.answer: never doubtful."""
        return {"last_cue_ms": self.last}, False
