"""Embedding vectors of the sandbox: meaningless, but of real length, and the same for the same text."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import Any


def unit_vector(text: Any, size: int) -> list[float]:
    """A unit vector made from the text's hash, in single precision like OpenAI's base64 encoding."""
    noise = hashlib.shake_256(json.dumps(text).encode()).digest(4 * size)
    raw = [number / 2**31 - 1 for number in struct.unpack(f"<{size}I", noise)]
    length = sum(number * number for number in raw) ** 0.5
    return list(struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *(number / length for number in raw))))


def as_base64(vector: list[float]) -> str:
    """The vector as base64 of little-endian 32-bit floats, the encoding that OpenAI's SDK asks for."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
