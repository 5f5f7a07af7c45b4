"""The proxy key of a request, and its check before a large body is read."""

from __future__ import annotations

import time
from typing import Any

from webapp.errors import ApiError
from webapp.gateway.refusals import UNAVAILABLE, refused
from webapp.gateway.refused_keys import RefusedKeys
from webapp.ledger.ledger import Ledger, LedgerRefused, LedgerUnavailable
from webapp.secrets.hashing import sha256_of

REFUSED_SECONDS = 5.0  # how long a refusal is remembered; an acceptance never is
MAX_REFUSED = 10_000


def bearer(environ: dict[str, Any]) -> str:
    """The proxy key in the Authorization header, else in the header api-key, as clients of Azure send it.

    Raises ApiError (401).
    """
    scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else ""
    key = key or environ.get("HTTP_API_KEY", "").strip()
    if not key:
        message = "Send a SpendAI key in the Authorization header: Bearer sk-spend-…"
        raise ApiError(401, "invalid_api_key", message)
    return key


class KeyCheck:
    """Asks the database whether a key is valid, without opening a call; opening the call checks the key again."""

    def __init__(self, refused_keys: RefusedKeys) -> None:
        self._refused_keys = refused_keys
        self._refused: dict[bytes, tuple[float, str]] = {}  # hash of a key → until when (time.monotonic()), outcome

    def __call__(self, ledger: Ledger, key: str) -> None:
        """Raises ApiError for a key that opens no call, and when the database cannot tell."""
        key_hash, now = sha256_of(key), time.monotonic()
        until, outcome = self._refused.get(key_hash, (0.0, ""))
        if until < now:
            try:
                outcome = ledger.check(key_hash)
            except (LedgerUnavailable, LedgerRefused):
                raise UNAVAILABLE.anew() from None
            if outcome == "valid":
                return
            if len(self._refused) >= MAX_REFUSED:
                self._refused.clear()
            self._refused[key_hash] = (now + REFUSED_SECONDS, outcome)
        self._refused_keys.count(ledger, key_hash, outcome)
        raise refused(outcome, None)
