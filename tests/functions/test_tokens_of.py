"""app.tokens_of: the token columns, from either shape of usage."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from checks import executors

CHAT = {
    "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 5, "audio_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 3},
}  # fmt: skip
RESPONSES = {
    "input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
    "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 5, "audio_tokens": 10},
    "output_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 3},
}  # fmt: skip
TRANSCRIPTION = {
    "input_tokens": 100, "output_tokens": 50,
    "input_token_details": {"cached_tokens": 40, "cache_write_tokens": 5, "audio_tokens": 10},
    "output_token_details": {"reasoning_tokens": 20, "audio_tokens": 3},
}  # fmt: skip


def tokens(conn: psycopg.Connection, usage: Any) -> tuple[int | None, ...]:
    return tuple(conn.execute("select * from app.tokens_of(%s::jsonb)", [json.dumps(usage)]).fetchone().values())


@pytest.mark.parametrize("usage", [CHAT, RESPONSES, TRANSCRIPTION])
def test_every_shape_gives_the_same_seven_counts(db: psycopg.Connection, usage: Any) -> None:
    assert tokens(db, usage) == (100, 50, 40, 5, 20, 10, 3)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 0, "input_tokens": 31493594, "output_tokens": 7}, (31493594, 7)),
        ({"input_tokens": 0, "prompt_tokens": 31493594, "output_tokens": 0, "completion_tokens": 7}, (31493594, 7)),
        ({"prompt_tokens": 10, "input_tokens": 20, "output_tokens": 7}, (None, 7)),
        ({"prompt_tokens": 10, "total_tokens": 17}, (10, 7)),
        ({"completion_tokens": 7, "total_tokens": 17}, (10, 7)),
        ({"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 17}, (10, 7)),
    ],
)
def test_the_tokens_are_those_that_are_priced(db: psycopg.Connection, usage: Any, expected: tuple[int, int]) -> None:
    assert tokens(db, usage)[:2] == expected


def test_all_written_tokens_are_in_one_column(db: psycopg.Connection) -> None:
    by_ttl = {"ttl_30m_tokens": 3, "ttl_12h_tokens": 4}
    usage = {"input_tokens": 9, "input_tokens_details": {"cache_write_tokens_details": by_ttl}}
    assert tokens(db, usage)[3] == 7
    usage["input_tokens_details"]["cache_write_tokens"] = 6
    assert tokens(db, usage)[3] is None


def test_an_embedding_has_input_tokens_alone(db: psycopg.Connection) -> None:
    assert tokens(db, {"prompt_tokens": 8, "total_tokens": 8}) == (8, None, None, None, None, None, None)


@pytest.mark.parametrize("usage", [None, {}, [], "x", 7, {"prompt_tokens_details": "x"}, {"input_tokens": None}])
def test_what_is_not_said_is_null_never_zero(db: psycopg.Connection, usage: Any) -> None:
    assert tokens(db, usage) == (None,) * 7


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "tokens_of") == set()
