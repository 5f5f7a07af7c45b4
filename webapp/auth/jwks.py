"""Checks access tokens of Supabase Auth: their signature, times and role."""

from __future__ import annotations

import json
import ssl
from typing import Any
from uuid import UUID

import certifi
import jwt

from webapp.auth.identity import ROLE
from webapp.config import Config, ConfigError

LEEWAY = 10  # seconds two clocks may differ
LIFESPAN = 600  # seconds for which fetched keys are used
COOLDOWN = 5  # seconds between fetches for a key id that is not among them: a new key, or an invented id
TIMEOUT = 5  # seconds
SIGNED_BY_KEY = ("ES256", "RS256")
REQUIRED = ["exp", "sub", "aud", "iss", "role"]


class KeysUnavailable(Exception):
    """The provider's public keys cannot be fetched, so no token can be checked."""


def tls() -> ssl.SSLContext:
    """A TLS context that trusts the machine's certificate authorities and certifi's; some containers have none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Verifier:
    """Checks tokens with the keys that the project publishes, or with its secret if one is set; one per process."""

    def __init__(self, config: Config, context: ssl.SSLContext) -> None:
        self.issuer = config.supabase_url + "/auth/v1"
        self._secret = config.supabase_jwt_secret
        if self._secret and len(self._secret.encode()) < 32:
            raise ConfigError("SUPABASE_JWT_SECRET: expected at least 32 bytes")
        self.keys = jwt.PyJWKClient(
            self.issuer + "/.well-known/jwks.json",
            lifespan=LIFESPAN,
            cooldown_duration=COOLDOWN,
            timeout=TIMEOUT,
            ssl_context=context,
        )

    def read(self, token: str) -> dict[str, Any] | None:
        """Claims of a signed-in person's token; None for any other: forged, expired, anonymous or of service_role.

        Raises KeysUnavailable.
        """
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
            claims = jwt.decode(
                token,
                self._key(token, algorithm),
                algorithms=[algorithm],
                audience=ROLE,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": REQUIRED},
            )
            UUID(claims["sub"])
        except (jwt.PyJWKClientConnectionError, json.JSONDecodeError):
            raise KeysUnavailable(self.keys.uri) from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            return None
        return claims if claims["role"] == ROLE and not claims.get("is_anonymous") else None

    def _key(self, token: str, algorithm: Any) -> Any:
        """The key for this token. The token names its algorithm, but only accepted ones have a key."""
        if algorithm in SIGNED_BY_KEY:
            return self.keys.get_signing_key_from_jwt(token).key
        if algorithm == "HS256" and self._secret:
            return self._secret
        raise jwt.InvalidAlgorithmError(algorithm)
