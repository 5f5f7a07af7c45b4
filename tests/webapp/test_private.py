"""Prompts, answers, keys and passwords are kept nowhere: `make prove-private` as a test."""

from __future__ import annotations

import base64

from durable.private import Routes, Words, prove


def test_nothing_anybody_said_is_kept_anywhere():
    found, missing, number = prove()
    assert found == []
    assert missing == [], "what may be kept was not found: the search does not work"
    assert number > 250


def test_the_search_finds_a_word_as_it_is_in_base64_and_in_hex(tmp_path):
    words = Words()
    routes = object.__new__(Routes)
    routes.words, routes.found = words, []
    word = words.word("prompt").encode()

    for number in range(3):
        (tmp_path / f"base64-{number}").write_bytes(base64.b64encode(b"x" * number + word + b"tail"))
    (tmp_path / "hex").write_bytes(b"\\x" + word.hex().encode())
    (tmp_path / "binary").write_bytes(b"\0\1" + word)
    (tmp_path / "clean").write_bytes(b"nothing")
    routes.look("here", tmp_path)
    assert sorted(line.rpartition(" ")[2] for line in routes.found) == [
        "base64-0",
        "base64-1",
        "base64-2",
        "binary",
        "hex",
    ]
