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


def test_an_embedding_has_input_tokens_alone(db: psycopg.Connection) -> None:
    assert tokens(db, {"prompt_tokens": 8, "total_tokens": 8}) == (8, None, None, None, None, None, None)


@pytest.mark.parametrize("usage", [None, {}, [], "x", 7, {"prompt_tokens_details": "x"}, {"input_tokens": None}])
def test_what_is_not_said_is_null_never_zero(db: psycopg.Connection, usage: Any) -> None:
    assert tokens(db, usage) == (None,) * 7


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "tokens_of") == set()
