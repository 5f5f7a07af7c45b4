"""Encryption of secrets stored in the database (OpenAI keys, tokens of sessions): AES-256-GCM with a key ring.

A sealed secret is ``0x01 | number of the ring's key (2 bytes) | nonce (12 bytes) | ciphertext and tag``. The row it
belongs to (organization and project, or session) is associated data: copied into another row, it cannot be decrypted.
Secrets are encrypted with the highest-numbered key of the ring, and decrypted with the key of their number.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class VaultError(Exception):
    """A secret cannot be decrypted: its key is not in the ring, or the stored bytes were changed or moved."""


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _bound_to(org_id: UUID | str, project_id: UUID | str | None) -> bytes:
    return f"spendai|openai|{org_id}|{project_id or ''}".encode()


def seal(ring: Mapping[int, bytes], secret: str, org_id: UUID, project_id: UUID | None) -> bytes:
    """Encrypt the OpenAI key of one organization, or of one of its projects."""
    return seal_for(ring, secret, _bound_to(org_id, project_id))


def unseal(ring: Mapping[int, bytes], sealed: bytes, org_id: UUID | str, project_id: UUID | str | None) -> str:
    """Decrypt the OpenAI key of this organization and project. Raises VaultError."""
    return unseal_for(ring, sealed, _bound_to(org_id, project_id))


def seal_for(ring: Mapping[int, bytes], secret: str, bound_to: bytes) -> bytes:
    """Encrypt a secret; the same ``bound_to`` (associated data) is needed to decrypt it."""
    number, nonce = max(ring), secrets.token_bytes(12)
    sealed = _cipher(ring[number]).encrypt(nonce, secret.encode(), bound_to)
    return b"\x01" + number.to_bytes(2, "big") + nonce + sealed


def unseal_for(ring: Mapping[int, bytes], sealed: bytes, bound_to: bytes) -> str:
    """Decrypt a secret that was encrypted with the same ``bound_to``. Raises VaultError."""
    key = ring.get(int.from_bytes(sealed[1:3], "big"))
    if sealed[:1] != b"\x01" or key is None:
        raise VaultError("the encryption key that sealed this secret is not in SPENDAI_ENCRYPTION_KEYS")
    try:
        return _cipher(key).decrypt(sealed[3:15], sealed[15:], bound_to).decode()
    except (InvalidTag, ValueError):  # ValueError: too short
        raise VaultError("a stored secret cannot be decrypted: it was changed or moved") from None
