"""Answers of /embeddings and /moderations. Vectors mean nothing, but the same text always has the same one."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import Any

from webapp.sandbox.chat import new_id
from webapp.sandbox.refused import SandboxError, one_of, whole_number
from webapp.sandbox.served import served
from webapp.sandbox.wording import tokens

DIMENSIONS = {"text-embedding-3-large": 3072, "text-embedding-3-small": 1536}
MAX_DIMENSIONS = 4096  # of models that the sandbox does not know
MAX_INPUTS = 2048  # texts to embed at once; OpenAI's limit
_CATEGORIES = ["harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"]
_CATEGORIES += ["self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors"]
_CATEGORIES += ["violence", "violence/graphic"]


def embeddings(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /embeddings: the same text always gives the same unit vector."""
    model, asked = served(fields), fields.get("input")
    single = isinstance(asked, str) or (isinstance(asked, list) and asked and isinstance(asked[0], int))
    texts = [asked] if single else asked if isinstance(asked, list) else [str(asked)]
    if len(texts) > MAX_INPUTS:
        raise SandboxError(400, f"'input' has more than {MAX_INPUTS} elements.", param="input")
    if not texts or asked == "":
        raise SandboxError(400, "'$.input' is invalid. Please check the API reference.", param="input")
    most = DIMENSIONS.get(model, MAX_DIMENSIONS)
    size = whole_number(fields, "dimensions", 1, most) or DIMENSIONS.get(model, 1536)
    encoding = one_of(fields.get("encoding_format") or "float", ("float", "base64"), "encoding_format")
    data = [
        {"object": "embedding", "index": index, "embedding": as_base64(vector) if encoding == "base64" else vector}
        for index, vector in enumerate(unit_vector(text, size) for text in texts)
    ]
    sent = sum(tokens(text) for text in texts)
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": sent, "total_tokens": sent}}


def moderation(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer of /moderations: nothing is ever flagged. A list of parts is one input, a list of texts is many."""
    asked = fields.get("input")
    several = isinstance(asked, list) and not any(isinstance(part, dict) for part in asked)
    result = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.00001),
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
    results = [result] * (len(asked) if several and asked else 1)
    return {"id": new_id("modr-"), "model": served(fields, "omni-moderation-latest"), "results": results}


def unit_vector(text: Any, size: int) -> list[float]:
    """A unit vector made from the text's hash, in single precision like OpenAI's base64 encoding."""
    noise = hashlib.shake_256(json.dumps(text).encode()).digest(4 * size)
    raw = [number / 2**31 - 1 for number in struct.unpack(f"<{size}I", noise)]
    length = sum(number * number for number in raw) ** 0.5
    return list(struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *(number / length for number in raw))))


def as_base64(vector: list[float]) -> str:
    """The vector as base64 of little-endian 32-bit floats, the encoding that OpenAI's SDK asks for."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
