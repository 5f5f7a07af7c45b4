"""Texts of the sandbox, cut into tokens: counted, limited, and with log probabilities.

A token of the sandbox is a piece of four characters, the average of OpenAI's for English.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from webapp.sandbox.refused import SandboxError, whole_number

TEXT = (
    "This is the SpendAI sandbox, not OpenAI: no OpenAI key is set, so this answer is simulated and no money is spent. "
    "An admin can store an OpenAI key under Settings."
)
PIECE = 4  # characters of a token
MAX_TOP_LOGPROBS = 20
MAX_WRITTEN = 200_000  # tokens of one answer, in all its choices, each alternative counted as one more


class Said(NamedTuple):
    """A text as far as it may go. `ended`: whether it came to its end, or to a stop sequence, before the limit."""

    text: str
    ended: bool


def pieces(text: str) -> list[str]:
    """The tokens of a text."""
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def tokens(value: Any) -> int:
    """How many tokens a text has, or a value as JSON; a list of numbers is a list of tokens already."""
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return len(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (len(text) + PIECE - 1) // PIECE


def limited(text: str, limit: int | None) -> Said:
    """The text up to a limit of tokens; None is no limit."""
    if limit is None or tokens(text) <= limit:
        return Said(text, True)
    return Said(text[: max(limit, 0) * PIECE], False)


def refuse_too_many(written: int) -> None:
    """Refuses an answer of more than MAX_WRITTEN tokens."""
    if written > MAX_WRITTEN:
        raise SandboxError(400, f"The sandbox writes up to {MAX_WRITTEN} tokens, with all choices and logprobs.")


def stops(fields: dict[str, Any]) -> list[str]:
    """The stop sequences of a request."""
    asked = fields.get("stop")
    found = [asked] if isinstance(asked, str) else asked or []
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found) or len(found) > 4:
        message = "Invalid 'stop': expected a string, or an array of up to 4 strings."
        raise SandboxError(400, message, param="stop", code="invalid_type")
    return [word for word in found if word]


def stopped(text: str, sequences: list[str]) -> str:
    """The text before the first stop sequence in it."""
    return text[: min((at for word in sequences if (at := text.find(word)) >= 0), default=len(text))]


def top_logprobs(fields: dict[str, Any]) -> int:
    """How many alternatives to each token the request asks for."""
    return whole_number(fields, "top_logprobs", 0, MAX_TOP_LOGPROBS) or 0


def logprobs(text: str, alternatives: int) -> list[dict[str, Any]]:
    """The log probability of every token, in the shape of chat completions and responses."""
    return [{**_probability(piece, 0), "top_logprobs": _top(piece, alternatives)} for piece in pieces(text)]


def _top(piece: str, alternatives: int) -> list[dict[str, Any]]:
    """The token itself, which is the likeliest, and made-up others."""
    return [_probability(piece if rank == 0 else f"{piece}~{rank}", rank) for rank in range(alternatives)]


def _probability(token: str, rank: int) -> dict[str, Any]:
    return {"token": token, "logprob": -0.01 - 2 * rank, "bytes": list(token.encode(errors="replace"))}
