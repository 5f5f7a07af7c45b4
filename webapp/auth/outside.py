"""Tokens of browser sessions from Supabase Auth: kept encrypted in the session's row, renewed before they expire.

A refresh token can be used once, so of all requests at once, in all gateways, only one asks the provider
(``app.web_session_claim``). The others use the old access token while it is valid, and then wait for the new one.
"""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from flask import current_app

from webapp import db
from webapp.auth.identity import AWAY, Tokens, identity
from webapp.errors import ApiError
from webapp.secrets.hashing import sha256_of
from webapp.secrets.vault import VaultError, seal_for, unseal_for

EARLY = 60  # seconds before its expiry an access token is renewed
CLAIM = 15  # seconds for which one request alone may renew; longer than a request to the provider may take
PATIENCE = 6.0  # seconds to wait for another request's renewal


class Kept(NamedTuple):
    """What a session's row holds encrypted; expires_at: of the access token, in seconds since 1970 by our own clock."""

    access_token: str
    refresh_token: str
    expires_at: float

    @property
    def left(self) -> float:
        return self.expires_at - time.time()


def seal(session_id: str, tokens: Tokens) -> bytes:
    """Tokens encrypted for storage; they can be decrypted for this session only."""
    kept = Kept(tokens.access_token, tokens.refresh_token, time.time() + tokens.expires_in)
    return seal_for(current_app.config["SPENDAI"].key_ring, json.dumps(kept), _bound_to(session_id))


def unseal(session_id: str, sealed: bytes) -> Kept | None:
    """Stored tokens; None when their encryption key is gone."""
    try:
        return Kept(*json.loads(unseal_for(current_app.config["SPENDAI"].key_ring, sealed, _bound_to(session_id))))
    except VaultError:
        return None


def _bound_to(session_id: str) -> bytes:
    return b"spendai|session|" + sha256_of(session_id)


def still_good(session_id: str, sealed: bytes) -> bool:
    """Whether the session still has valid tokens; renews them if they are about to expire.

    ApiError 503 when they have expired and the provider cannot be reached.
    """
    kept, patience = unseal(session_id, sealed), time.monotonic() + PATIENCE
    while kept and kept.left < EARLY:
        with db.scope("spendai_auth") as tx:
            row = tx.call("web_session_claim", sha256_of(session_id), CLAIM)
        kept = unseal(session_id, row["tokens"]) if row and row["tokens"] else None
        if kept is None or kept.left > EARLY:
            break
        if row["mine"]:
            return _renew(session_id, kept)
        if kept.left > 0:
            return True
        if time.monotonic() > patience:
            raise AWAY.anew()
        time.sleep(0.05)
    return kept is not None


def _renew(session_id: str, kept: Kept) -> bool:
    try:
        login = identity().refresh(kept.refresh_token)
    except ApiError as error:
        if error.status == 401:
            with db.scope("spendai_auth") as tx:
                tx.call("web_session_end", sha256_of(session_id))
            return False
        if kept.left > 0:
            return True
        raise
    with db.scope("spendai_auth") as tx:
        tx.call("web_session_renew", sha256_of(session_id), seal(session_id, login.tokens))
    return True
