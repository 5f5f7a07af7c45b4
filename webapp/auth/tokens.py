"""Access tokens of the embedded provider: JWTs with the same claims as Supabase's."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from uuid import UUID

import jwt

from webapp.auth.identity import ROLE, Person
from webapp.config import Config

LIFETIME = 3600  # seconds
LEEWAY = 10  # seconds two clocks may differ


class Signer:
    """Makes and checks access tokens; its key is derived from SECRET_KEY, so all gateways accept them."""

    def __init__(self, config: Config) -> None:
        self.issuer = config.public_url + "/auth/v1"
        self._key = hmac.new(config.secret_key.encode(), b"jwt", hashlib.sha256).digest()

    def issue(self, person: Person, session_id: str) -> str:
        """A token for one log-in session, valid for LIFETIME seconds."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": person.id,
            "aud": ROLE,
            "role": ROLE,
            "exp": now + LIFETIME,
            "iat": now,
            "email": person.email,
            "session_id": session_id,
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": now}],
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": {},
            "is_anonymous": False,
        }
        return jwt.encode(claims, self._key, "HS256")

    def read(self, token: str) -> dict[str, Any] | None:
        """Claims of a token with right signature and times; None for any other."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=ROLE,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "role", "session_id"]},
            )
            UUID(claims["sub"]), UUID(claims["session_id"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            return None
        return claims if claims["role"] == ROLE else None
