"""The models of the sandbox: under which name they answer, and how many tokens they spend on reasoning."""

from __future__ import annotations

import re
from typing import Any

from webapp.sandbox.refused import one_of

# Model in the request → dated model in the answer; other models are answered under their own name.
SERVED = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
    "gpt-5.4": "gpt-5.4-2026-03-05",
    "o3": "o3-2025-04-16",
    "o4-mini": "o4-mini-2025-04-16",
    "text-embedding-3-small": "text-embedding-3-small",
    "text-embedding-3-large": "text-embedding-3-large",
    "omni-moderation-latest": "omni-moderation-2024-09-26",
}
# Listed beside them; they answer under their own name.
OTHERS = ("gpt-image-1", "dall-e-3", "gpt-4o-mini-tts", "tts-1", "gpt-4o-transcribe", "whisper-1")
EFFORTS = {"none": 0, "minimal": 0, "low": 64, "medium": 128, "high": 256, "xhigh": 512, "max": 1024}  # tokens
_REASONING = re.compile(r"(o\d|gpt-([5-9]|\d\d))(?!.*chat)")
_NOT_UNLESS_ASKED = re.compile(r"gpt-5\.\d")  # their default effort is none


def served(fields: dict[str, Any], default: str = "") -> str:
    """The dated name of the model that answers."""
    model = fields.get("model") or default
    return SERVED.get(model, model)


def reasons(model: str) -> bool:
    """Whether a model is one that reasons."""
    return _REASONING.match(model) is not None


def reasoning_tokens(model: str, effort: Any, param: str) -> int:
    """The tokens that a model reasons with, for an effort that the request asks for or for the model's default."""
    asked = None if effort is None else one_of(effort, tuple(EFFORTS), param)
    if not reasons(model):
        return 0
    return EFFORTS[asked or ("none" if _NOT_UNLESS_ASKED.match(model) else "medium")]


def listed_model(name: str) -> dict[str, Any]:
    """One entry of /models."""
    return {"id": name, "object": "model", "created": 1715367049, "owned_by": "spendai-sandbox"}
