"""What happens to the events of a stream, and who decides it."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol


class Verdict(Enum):
    """What to do with an event."""

    WAIT = auto()  # unfinished, and not known yet whether the client may have it: hold its bytes back
    PASS = auto()  # the client may have it
    SKIP = auto()  # unfinished, and metering does not need it: the client may have it, its rest is not read
    HIDE = auto()  # never for the client
    EDIT = auto()  # the client gets the judge's `edited` instead
    HOLD = auto()  # the answer may be at its end: hold back this event and all that follows, and read on
    END = auto()  # the answer is at its end: hold back this event and all that follows


class Judge(Protocol):
    """Decides what happens to events (stream.StreamReader). ``edited``: the last event of verdict EDIT, as changed."""

    edited: bytes

    def head(self, head: bytes) -> Verdict:
        """WAIT, PASS or SKIP for the first bytes of an unfinished event."""

    def event(self, event: bytes) -> Verdict:
        """PASS, HIDE, EDIT, HOLD or END for a whole event."""

    def run(self, data: bytes) -> tuple[int, bytes]:
        """Judge whole events at the beginning of data together: how many bytes they are, and what the client gets.

        (0, b"") where each needs a verdict of its own.
        """


class Unread:
    """The judge of a stream that is not read any further: everything passes."""

    edited = b""

    def head(self, head: bytes) -> Verdict:
        """The client may have every unfinished event."""
        return Verdict.SKIP

    def event(self, event: bytes) -> Verdict:
        """The client may have every event."""
        return Verdict.PASS

    def run(self, data: bytes) -> tuple[int, bytes]:
        """Everything passes."""
        return len(data), data
