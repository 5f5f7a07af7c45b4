"""Encryption of secrets that the database keeps: OpenAI keys and tokens of sessions (AES-256-GCM with a key ring).

A sealed secret is ``0x01 | number of the ring's key (2 bytes) | nonce (12) | ciphertext and tag``. Where it belongs
is associated data: copied into another row it does not open. New ones are sealed with the ring's highest number, old
ones open as long as theirs is in the ring.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class VaultError(Exception):
    """A sealed secret does not open: its ring key is gone, or the row was tampered with."""


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _bound_to(org_id: UUID | str, project_id: UUID | str | None) -> bytes:
    return f"spendai|openai|{org_id}|{project_id or ''}".encode()


def seal(ring: Mapping[int, bytes], secret: str, org_id: UUID, project_id: UUID | None) -> bytes:
    """Encrypt an OpenAI key for one organization (and project)."""
    return seal_for(ring, secret, _bound_to(org_id, project_id))


def unseal(ring: Mapping[int, bytes], sealed: bytes, org_id: UUID | str, project_id: UUID | str | None) -> str:
    """Decrypt an OpenAI key; raises VaultError when it does not belong there."""
    return unseal_for(ring, sealed, _bound_to(org_id, project_id))


def seal_for(ring: Mapping[int, bytes], secret: str, bound_to: bytes) -> bytes:
    """Encrypt a secret that opens only together with ``bound_to``."""
    number, nonce = max(ring), secrets.token_bytes(12)
    sealed = _cipher(ring[number]).encrypt(nonce, secret.encode(), bound_to)
    return b"\x01" + number.to_bytes(2, "big") + nonce + sealed


def unseal_for(ring: Mapping[int, bytes], sealed: bytes, bound_to: bytes) -> str:
    """Decrypt a secret; raises VaultError when it does not belong there."""
    key = ring.get(int.from_bytes(sealed[1:3], "big"))
    if sealed[:1] != b"\x01" or key is None:
        raise VaultError("the encryption key that sealed this secret is not in SPENDAI_ENCRYPTION_KEYS")
    try:
        return _cipher(key).decrypt(sealed[3:15], sealed[15:], bound_to).decode()
    except (InvalidTag, ValueError):  # ValueError: too short to be one
        raise VaultError("a stored secret does not open; it was changed or moved") from None
