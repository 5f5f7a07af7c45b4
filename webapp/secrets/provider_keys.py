"""Storing the OpenAI keys that organizations bring: checked, sealed, never shown again."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from webapp.config import Config
from webapp.db import Transaction
from webapp.errors import ApiError
from webapp.secrets.vault import seal
from webapp.upstream.addresses import forbidden


def store(
    tx: Transaction, config: Config, key: str, base_url: str | None, project_id: UUID | None
) -> dict[str, Any] | None:
    """Seal a key for the organization of ``tx`` (or one project) and store it; last4 and updated_at. ApiError 400."""
    key, base_url = check_key(key), check_base_url(base_url)
    me = tx.call("me")
    if me is None:
        raise ApiError(403, "admin_required", "only an admin may do this")
    sealed = seal(config.key_ring, key, me["org_id"], project_id)
    shown = key[-4:] if len(key) >= 16 else ""  # of a short key four characters would tell too much
    return tx.call("provider_key_set", project_id, sealed, shown, base_url, fingerprint(config, key))


def fingerprint(config: Config, key: str) -> bytes:
    """By which the database sees that two organizations pay with one OpenAI key, and nothing else."""
    return hmac.new(config.secret_key.encode(), b"openai key/" + key.encode(), hashlib.sha256).digest()


def check_key(key: str) -> str:
    """An OpenAI key as it can travel in a header."""
    key = key.strip()
    if not re.fullmatch(r"[!-~]{1,500}", key):
        raise ApiError(400, "key_invalid", "an OpenAI key is up to 500 characters without spaces or accents", "key")
    return key


def check_base_url(url: str | None) -> str | None:
    """The URL below which OpenAI's paths are, without a slash at its end; None for the install's own."""
    url = (url or "").strip().rstrip("/")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _wrong("this is not a URL") from None
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9._:-]+", parts.hostname or ""):
        raise _wrong("the base URL is like https://api.openai.com/v1")
    if "@" in parts.netloc or "?" in url or "#" in url or not re.fullmatch(r"[!-~]{1,500}", url) or "\\" in url:
        raise _wrong("the base URL has no user name, query or fragment")
    if forbidden(parts.hostname or ""):  # a name is checked whenever the gateway connects to what it resolves to
        raise _wrong("a link-local address or that of a cloud's metadata service cannot be used")
    return url


def _wrong(message: str) -> ApiError:
    return ApiError(400, "base_url_invalid", message, "base_url")
