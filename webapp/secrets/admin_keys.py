"""OpenAI admin keys, with which OpenAI's books are read: checked, encrypted, decrypted. A stored key is never shown."""

from __future__ import annotations

import re
from uuid import UUID

from webapp.config import Config
from webapp.errors import ApiError
from webapp.secrets.vault import seal_for, unseal_for

PREFIX = "sk-admin-"


def check_admin_key(key: str) -> str:
    """An admin key without surrounding spaces. Raises ApiError 400 for anything else, such as a project's key."""
    key = key.strip()
    if not key.startswith(PREFIX):
        hint = "Keys of projects and service accounts cannot read OpenAI's books"
        raise ApiError(400, "admin_key_invalid", f"an OpenAI admin key begins with {PREFIX}", "key", hint)
    if not re.fullmatch(r"[!-~]{20,500}", key):
        raise ApiError(400, "admin_key_invalid", "an admin key has 20 to 500 characters, no spaces or accents", "key")
    return key


def seal_admin_key(config: Config, key: str, org_id: UUID) -> bytes:
    """Encrypt the admin key of one organization."""
    return seal_for(config.key_ring, key, _bound_to(org_id))


def unseal_admin_key(config: Config, sealed: bytes, org_id: UUID) -> str:
    """Decrypt the admin key of this organization. Raises VaultError."""
    return unseal_for(config.key_ring, sealed, _bound_to(org_id))


def _bound_to(org_id: UUID) -> bytes:
    return f"spendai|openai admin|{org_id}".encode()
