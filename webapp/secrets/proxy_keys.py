"""Proxy keys: ``sk-spend-<32 hex digits of the key's id>-<43 characters, 256 random bits>``.

A key is shown once, when it is made, and never stored: the database has its SHA-256 only (hashing.py).
"""

from __future__ import annotations

import secrets
from typing import NamedTuple
from uuid import UUID, uuid4

from webapp.secrets.hashing import sha256_of


class NewKey(NamedTuple):
    """A new key, known in full only until it is shown: ``hash`` and ``prefix`` are what the database stores."""

    id: UUID
    key: str
    prefix: str
    hash: bytes


def new_key(key_id: UUID | None = None) -> NewKey:
    """Make a proxy key, with this id or a new one. Its prefix, shown in lists, ends with 8 hex digits of the id."""
    key_id = key_id or uuid4()
    key = f"sk-spend-{key_id.hex}-{secrets.token_urlsafe(32)}"
    return NewKey(key_id, key, key[:17], sha256_of(key))
