"""Takes `"usage":null` out of a chat chunk: OpenAI writes it into every chunk of a stream that was asked for usage.

Inside a JSON string quotes are escaped, so none of these patterns matches text that the model wrote.
"""

from __future__ import annotations

import re

_USUAL = b',"usage":null'
_LAST = _USUAL + b"}\n\n"  # as the last member of the last object
_TEXTS = rb'(?:,"[^"\\]*":"[^"\\]*")*\}'  # the end of an object of which only texts (`obfuscation`) are left
_FLAT = re.compile(_TEXTS + rb"\s*")
LAST_NULL = re.compile(_USUAL + b"(" + _TEXTS + rb"\n\n)")  # near the end of a chunk; group: what follows it
_NULL = re.compile(rb',\s*"usage"\s*:\s*null(?=\s*[,}])|(?<=\{)\s*"usage"\s*:\s*null\s*,')
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def without_null(event: bytes, data: bytes) -> bytes | None:
    """An event without the member `usage` of the object in its data, if that is null; else None.

    One comma beside the member goes with it. Data of several lines is only edited where the member is at its end.
    """
    if event.endswith(_LAST):
        return event[: -len(_LAST)] + b"}\n\n"
    at = event.rfind(_USUAL)
    if at >= 0 and _FLAT.fullmatch(event, at + len(_USUAL)):
        return event[:at] + event[at + len(_USUAL) :]
    begin = event.find(data)
    for null in _NULL.finditer(data) if begin >= 0 and b'"usage"' in data else ():
        if _depth(data[: null.start()]) == 1:
            return event[: begin + null.start()] + event[begin + null.end() :]
    return None


def _depth(text: bytes) -> int:
    """How many brackets are open at the end of a beginning of a JSON document."""
    bare = _STRING.sub(b"", text)
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
