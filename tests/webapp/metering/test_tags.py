"""Tags of a call: what is read of the header and of metadata, and what is said of the rest."""

from __future__ import annotations

import json

import pytest

from webapp.metering.tags import (
    IN_HEADER,
    INVALID,
    NO_PAIR,
    NO_TEXT,
    REPEATED,
    SHORTENED,
    TOO_MANY,
    Tags,
    metadata_tags,
    parse_tags,
    warning,
)  # fmt: skip

LONG, CUT = "k" * 70, "k" * 64


@pytest.mark.parametrize(("header", "kept", "lost"), [
    (None, {}, {}),
    ("", {}, {}),
    (" , ", {}, {}),
    ("team=search,env=prod", {"team": "search", "env": "prod"}, {}),
    (" team = search , ,=x,y=,junk, env=a=b ", {"team": "search", "env": "a=b"}, {NO_PAIR: 3}),
    ("a=1,a=2", {"a": "2"}, {REPEATED: 1}),
    (f"{LONG}={LONG},b=c", {CUT: CUT, "b": "c"}, {SHORTENED: 1}),
    ("a\0=b\ud800", {"a": "b"}, {SHORTENED: 1}),
    ("ort=Köln".encode().decode("latin-1"), {"ort": "Köln"}, {}),
    ('{"team": "search", "env": "a,b=c"}', {"team": "search", "env": "a,b=c"}, {}),
    ('{"ort": "Köln", "to": "\\u00e9"}'.encode().decode("latin-1"), {"ort": "Köln", "to": "é"}, {}),
    ('{"n": 12345678901234567890.10, "on": true, "off": false}', {"n": "12345678901234567890.10", "on": "true",
        "off": "false"}, {}),
    ('{"a": null, "b": {"c": "d"}, "e": [1], "f": NaN, "g": "h"}', {"g": "h"}, {NO_TEXT: 4}),
    ('{"a": "1", "a": "2", "b": " ", "": "x"}', {"a": "2"}, {REPEATED: 1, NO_PAIR: 2}),
    ('{"a": "\\u0000b\\ud800"}', {"a": "b"}, {SHORTENED: 1}),
    ('{"a": "b=c", "a=b": "c", "=": "x"}', {"a": "b=c", "ab": "c"}, {SHORTENED: 1, NO_PAIR: 1}),
    ('{"a": "1"},{"b": "2"}', {"a": "1", "b": "2"}, {}),  # the header came twice
    ('{"a": "1"', {}, {INVALID: 1}),
    ('{"a": "1"}, b=2', {}, {INVALID: 1}),
    ('{"a": "1"}, 2', {}, {INVALID: 1}),
    ('{"a": "1"}], [2', {}, {INVALID: 1}),
    ('{"a":' * 3000, {}, {INVALID: 1}),
    ('{"a":' + "[" * 100 + "]" * 100 + "}", {}, {NO_TEXT: 1}),
])  # fmt: skip
def test_tags_of_the_header(header: str | None, kept: dict, lost: dict) -> None:
    assert parse_tags(header) == Tags(kept, lost)


def test_a_call_has_sixteen_tags_at_most_the_first_ones() -> None:
    pairs = {f"t{n}": "x" for n in range(40)}
    for tags in (parse_tags(",".join(f"{name}=x" for name in pairs)), parse_tags(json.dumps(pairs))):
        assert tags == Tags(dict(list(pairs.items())[:16]), {TOO_MANY: 24})


def test_the_header_wins_over_metadata_and_leaves_it_the_room_that_is_left() -> None:
    header = parse_tags("team=search," + ",".join(f"h{n}=x" for n in range(13)))
    metadata = metadata_tags({"team": "chat", "a": "1", "b": "2", "c": "3", "long": LONG})
    both = header.joined(metadata)
    assert both.kept == {**header.kept, "a": "1", "b": "2"}
    assert both.lost == {IN_HEADER: 1, TOO_MANY: 2, SHORTENED: 1}
    assert warning(header, both) == f"metadata: 2 {TOO_MANY}, 1 {IN_HEADER}, 1 {SHORTENED}"


def test_a_warning_names_header_and_metadata_and_is_none_for_nothing() -> None:
    assert warning(parse_tags("a=b"), metadata_tags({"c": "d"})) is None
    said = warning(parse_tags("junk"), metadata_tags({"c": None}))
    assert said == f"x-spendai-tags: 1 {NO_PAIR}; metadata: 1 {NO_TEXT}"


@pytest.mark.parametrize(
    "junk", ["\r\nx-evil: 1", "<script>", "\x1b[31m", "é" * 70, "{" * 4000, "a=" + "\x80" * 4000, "=" * 8000]
)
def test_a_warning_is_short_ascii_and_repeats_nothing_of_the_client(junk: str) -> None:
    every = [junk, *(f"{LONG}{n}=x" for n in range(30)), f"{junk}=", "a=1", "a=2"]
    header, metadata = parse_tags(",".join(every)), metadata_tags(dict.fromkeys(every, junk) | {"z": None, "y": LONG})
    said = warning(header, header.joined(metadata)) or ""
    assert said.isascii() and said.isprintable() and 0 < len(said) < 800
    assert junk[:4] not in said and "k" * 5 not in said
