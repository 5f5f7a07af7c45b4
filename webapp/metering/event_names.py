"""Names of the events of OpenAI's streams that metering needs, and the verdict that a name alone allows."""

from __future__ import annotations

from webapp.metering.verdicts import Verdict

RESPONSE_ENDS = (b"response.completed", b"response.incomplete", b"response.failed")
CREATED = b"response.created"
ERROR = b"error"
ITEM_DONE = b"response.output_item.done"
LIVE, LIVE_END = b"session.usage.updated", b"session.closed"  # each repeats all seconds of the session so far


def by_name(name: bytes) -> Verdict:
    """The verdict on an unfinished event of this name."""
    if name in RESPONSE_ENDS or name in (LIVE, LIVE_END) or may_carry_usage(name):
        return Verdict.WAIT
    return Verdict.PASS if name in (CREATED, ITEM_DONE, ERROR) else Verdict.SKIP


def may_carry_usage(name: bytes) -> bool:
    """Whether an event is like `image_generation.completed` or `transcript.text.done`, no step of a response."""
    return name.endswith((b".completed", b".done")) and not name.startswith((b"response.", b"thread."))
