"""Proxy keys: ``sk-spend-<32 hex of the key's id>-<43 characters, 256 random bits>``.

The key is shown once and never stored; SQL gets its SHA-256 only. A plain hash is right here: bcrypt protects secrets
that people choose, a 256-bit random one cannot be guessed, and it is looked up on every call.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple
from uuid import UUID, uuid4


class NewKey(NamedTuple):
    """A key at the only moment it is known."""

    id: UUID
    key: str
    prefix: str
    hash: bytes


def new_key(key_id: UUID | None = None) -> NewKey:
    """Make a proxy key, with this id or a new one; the first eight hex digits of the id stay visible as its prefix."""
    key_id = key_id or uuid4()
    key = f"sk-spend-{key_id.hex}-{secrets.token_urlsafe(32)}"
    return NewKey(key_id, key, key[:17], key_hash(key))


def key_hash(key: str) -> bytes:
    """SHA-256 of a key or any other random token, 32 bytes."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
