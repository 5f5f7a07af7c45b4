"""Tokens that an outside provider gave for a browser session: sealed in its row, traded for new ones in time.

However many requests of however many gateways come at once, one of them asks the provider (``app.web_session_claim``).
The others go on with the old tokens as long as those are good, and wait for the new ones when they are not.
"""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from flask import current_app

from webapp import db
from webapp.auth.identity import AWAY, Tokens, identity
from webapp.errors import ApiError
from webapp.secrets.proxy_keys import key_hash
from webapp.secrets.vault import VaultError, seal_for, unseal_for

EARLY = 60  # seconds before their end tokens are renewed
CLAIM = 15  # seconds; longer than the provider may take. A provider that is away is asked once in this time.
PATIENCE = 6.0  # seconds to wait for another request's renewal


class Kept(NamedTuple):
    """What a session's row holds, sealed; expires_at: of the access token, in seconds since 1970 by our own clock."""

    access_token: str
    refresh_token: str
    expires_at: float

    @property
    def left(self) -> float:
        return self.expires_at - time.time()


def seal(session_id: str, tokens: Tokens) -> bytes:
    """Tokens as they are stored; they open in this session's row only."""
    kept = Kept(tokens.access_token, tokens.refresh_token, time.time() + tokens.expires_in)
    return seal_for(current_app.config["SPENDAI"].key_ring, json.dumps(kept), _bound_to(session_id))


def unseal(session_id: str, sealed: bytes) -> Kept | None:
    """Stored tokens; None when their encryption key is gone."""
    try:
        return Kept(*json.loads(unseal_for(current_app.config["SPENDAI"].key_ring, sealed, _bound_to(session_id))))
    except VaultError:
        return None


def _bound_to(session_id: str) -> bytes:
    return b"spendai|session|" + key_hash(session_id)


def still_good(session_id: str, sealed: bytes) -> bool:
    """Whether the provider stands by this session, its tokens renewed if it was time.

    ApiError 503 when the tokens ran out and the provider cannot be asked.
    """
    kept, patience = unseal(session_id, sealed), time.monotonic() + PATIENCE
    while kept and kept.left < EARLY:
        with db.scope("spendai_auth") as tx:
            row = tx.call("web_session_claim", key_hash(session_id), CLAIM)
        kept = unseal(session_id, row["tokens"]) if row and row["tokens"] else None
        if kept is None or kept.left > EARLY:
            break
        if row["mine"]:
            return _renew(session_id, kept)
        if kept.left > 0:
            return True
        if time.monotonic() > patience:
            raise AWAY
        time.sleep(0.05)
    return kept is not None


def _renew(session_id: str, kept: Kept) -> bool:
    try:
        login = identity().refresh(kept.refresh_token)
    except ApiError as error:
        if error.status == 401:
            with db.scope("spendai_auth") as tx:
                tx.call("web_session_end", key_hash(session_id))
            return False
        if kept.left > 0:
            return True
        raise
    with db.scope("spendai_auth") as tx:
        tx.call("web_session_renew", key_hash(session_id), seal(session_id, login.tokens))
    return True
