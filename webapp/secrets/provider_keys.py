"""Provider keys, the OpenAI keys of organizations: checked, encrypted and stored. A stored key is never shown."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from webapp.config import Config
from webapp.db import Transaction
from webapp.errors import ADMINS_ONLY, ApiError
from webapp.secrets.vault import seal
from webapp.upstream.addresses import forbidden

OPENAI = re.compile(r"https://([a-z0-9-]+\.)?api\.openai\.com(/|$)")  # also its regional hosts


class ProviderKey(NamedTuple):
    """An OpenAI key to store. ``confirmed``: also when another organization uses the same key."""

    key: str
    base_url: str | None = None
    project_id: UUID | None = None
    confirmed: bool = False


def store(tx: Transaction, config: Config, new: ProviderKey) -> dict[str, Any] | None:
    """Encrypt an OpenAI key and store it for the organization of ``tx`` or one of its projects.

    The first key hides the sandbox's calls for good, so what cannot be a key of OpenAI's is not stored for its API.

    Returns last4 and updated_at. Raises ApiError: 400 for an invalid key or base URL, 403 unless an admin asks, 409
    ``key_in_use`` where a confirmation is needed.
    """
    key, base_url = check_key(new.key), check_base_url(new.base_url, private=config.allow_private_base_urls)
    if OPENAI.match(base_url or config.openai_base_url) and not key.startswith("sk-"):
        raise ApiError(400, "key_invalid", "an OpenAI key begins with sk-", "key")
    me = tx.call("me")
    if me is None:
        raise ADMINS_ONLY.anew()
    sealed = seal(config.key_ring, key, me["org_id"], new.project_id)
    told = last4(key), base_url, fingerprint(config, key), new.confirmed
    return tx.call("provider_key_set", new.project_id, sealed, *told)


def fingerprint(config: Config, key: str) -> bytes:
    """HMAC of an OpenAI key, 32 bytes: shows the database whether two organizations use the same key, nothing else."""
    return hmac.new(config.secret_key.encode(), b"openai key/" + key.encode(), hashlib.sha256).digest()


def last4(key: str) -> str:
    """The characters of an OpenAI key that are shown; none of a short key, of which four would reveal too much."""
    return key[-4:] if len(key) >= 16 else ""


def check_key(key: str) -> str:
    """An OpenAI key without surrounding spaces. Raises ApiError 400 if it cannot be sent in a header."""
    key = key.strip()
    if not re.fullmatch(r"[!-~]{1,500}", key):
        raise ApiError(400, "key_invalid", "an OpenAI key is up to 500 characters without spaces or accents", "key")
    return key


def check_base_url(url: str | None, *, private: bool = True) -> str | None:
    """A base URL without a slash at its end; None (use OPENAI_BASE_URL) for an empty one. Raises ApiError 400.

    private: whether it may be a loopback or private address.
    """
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
    if forbidden(parts.hostname or ""):
        raise _wrong("a link-local address or that of a cloud's metadata service cannot be used")
    if forbidden(parts.hostname or "", private=private):  # the addresses of a name are checked at each connect
        raise _wrong("a loopback or private address cannot be used here")
    return url


def _wrong(message: str) -> ApiError:
    return ApiError(400, "base_url_invalid", message, "base_url")
