"""Tags of a call: from the header x-spendai-tags, and from `metadata` of the request where its project wants that."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from webapp.metering.jsonwalk import Number
from webapp.metering.text import clean

MAX_TAGS = 16
MAX_TAG_CHARS = 64

# Why a tag is not stored as it was sent. The words are ASCII and hold nothing of what the client sent.
INVALID = "left out: not valid JSON"
NO_PAIR = "left out: no name or no value"
NO_TEXT = "left out: the value is an object or a list or null"
TOO_MANY = f"left out: a call has {MAX_TAGS} tags at most"
REPEATED = "left out: a later one has the same name"
IN_HEADER = "left out: x-spendai-tags has the same name"
SHORTENED = f"shortened: longer than {MAX_TAG_CHARS} characters or with some that cannot be stored"


class Tags(NamedTuple):
    """`kept`: the tags, name to value. `lost`: how many were not stored as they were sent, by reason."""

    kept: Mapping[str, str] = MappingProxyType({})
    lost: Mapping[str, int] = MappingProxyType({})

    def joined(self, metadata: Tags) -> Tags:
        """These tags of the header, and those of `metadata` as far as there is room; the header wins."""
        kept, lost = dict(self.kept), Counter(metadata.lost)
        for name, value in metadata.kept.items():
            if name in self.kept:
                lost[IN_HEADER] += 1
            elif len(kept) == MAX_TAGS:
                lost[TOO_MANY] += 1
            else:
                kept[name] = value
        return Tags(kept, lost)


NO_TAGS = Tags()


def parse_tags(header: str | None) -> Tags:
    """Tags of the header: `team=search, env=prod`, or a JSON object. One that came twice is joined by a comma."""
    if not header:
        return NO_TAGS
    text = _as_utf8(header).strip()
    if not text.startswith("{"):
        return _tags(part.partition("=")[::2] for part in text.split(",") if part.strip())
    try:
        objects = json.loads(f"[{text}]", parse_int=Number, parse_float=Number, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        objects = [None]
    if not all(isinstance(pairs, tuple) for pairs in objects):
        return Tags(lost={INVALID: 1})
    return _tags(pair for pairs in objects for pair in pairs)


def metadata_tags(metadata: Any) -> Tags:
    """The tags that the member `metadata` of a request would be: none of anything but a JSON object."""
    return _tags(metadata.items()) if isinstance(metadata, dict) and metadata else NO_TAGS


def warning(header: Tags, metadata: Tags = NO_TAGS) -> str | None:
    """What the answer and the call's page say of tags that were not stored as they were sent: short, ASCII; or None."""
    parts = [
        f"{source}: " + ", ".join(f"{count} {reason}" for reason, count in sorted(tags.lost.items()))
        for source, tags in (("x-spendai-tags", header), ("metadata", metadata))
        if tags.lost
    ]
    return "; ".join(parts) or None


def _tags(pairs: Iterable[tuple[str, Any]]) -> Tags:
    kept: dict[str, str] = {}
    lost: Counter[str] = Counter()
    for sent_name, sent_value in pairs:
        text = _as_text(sent_value)
        # A tag is looked for as `name=value`: with a = in a name, two tags of a call could be the same one.
        name, value = clean(sent_name.replace("=", "").strip(), MAX_TAG_CHARS), clean(text, MAX_TAG_CHARS)
        if text is None:
            lost[NO_TEXT] += 1
        elif not name or not value:
            lost[NO_PAIR] += 1
        elif name not in kept and len(kept) == MAX_TAGS:
            lost[TOO_MANY] += 1
        else:
            lost[REPEATED] += name in kept
            lost[SHORTENED] += (name, value) != (sent_name.strip(), text)
            kept[name] = value
    return Tags(kept, +lost)  # + leaves out reasons that were counted 0 times


def _as_text(value: Any) -> str | None:
    """A text, number, true or false of JSON as text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str) else None  # a Number is a str, too


def _as_utf8(header: str) -> str:
    """WSGI decodes header bytes as Latin-1; clients send UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
