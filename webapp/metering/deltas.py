"""Many chat chunks at once: those of a stream that come together as OpenAI writes them, and carry only text.

Reading an event alone takes about 6 µs. Events come together where many wait: from a fast upstream, and behind a worker
that leaves streams unread for a moment (see gateway/pace.py).
"""

from __future__ import annotations

import re

MODEL = re.compile(rb'"model"\s*:\s*"[^"]')  # never in text that the model wrote: inside of a string quotes are escaped
_BEGINNING = b'data: {"id":"'
_USAGE, _DONE = b'"usage":{', b"\n\ndata: [DONE]"
_TIER = b'"service_tier"'
_TIERS = (_TIER + b':"', _TIER + b":null")
# `usage` of a stream that was asked for it, with the texts that may follow it (`obfuscation`) and the end of the chunk.
_NULL = re.compile(rb',"usage":null((?:,"[^"\\]*":"[^"\\]*")*\}\n\n)')


def leading(data: bytes) -> tuple[bytes, bytes]:
    """The whole chunks without usage at the beginning of a stream's data, as they are and without `"usage":null`.

    Each is an object in one line of data that begins with the id. Both are b"" as soon as anything in them is otherwise
    than OpenAI writes it: another line or line end, spaces, an error, a name of an event.
    """
    ends = [end for end in (data.find(_USAGE), data.find(_DONE) + 2) if end > 1]
    end = data.rfind(b"\n\n", 0, min(ends, default=len(data))) + 2
    run = data[:end] if end > 1 else b""
    events = run.split(b"\n\n")
    bare, nulls = _NULL.subn(rb"\1", run)
    usual = (
        run.count(b"\n") == 2 * (len(events) - 1)
        and b"\r" not in run
        and run.count(b'"usage"') == nulls
        and run.count(_TIER) == sum(map(run.count, _TIERS))
        and all(event.startswith(_BEGINNING) for event in events[:-1])
    )
    return (run, bare) if usual else (b"", b"")


def named(run: bytes) -> bytes:
    """The data of the first chunk of a run, which has the id; b"" when it names no model."""
    first = run[len(b"data: ") : run.find(b"\n")]
    return first if MODEL.search(first) else b""


def tiered(run: bytes) -> bytes:
    """The data of the last chunk of a run that names a service tier; b"" when none does."""
    at = run.rfind(_TIERS[0])
    if at < 0:
        return b""
    return run[run.rfind(b"data: ", 0, at) + 6 : run.find(b"\n\n", at)]
