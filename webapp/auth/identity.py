"""The seam behind which people prove who they are: one provider per install, chosen by the settings.

The rest of the product sees a ``Person``, and the claims of an access token in Supabase's shape.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from flask import current_app

from webapp.config import Config, ConfigError

ROLE = "authenticated"  # database role of everybody who signed in; also the audience of access tokens


class Person(NamedTuple):
    """Somebody whose identity is proven; email is lower-case."""

    id: str
    email: str

    @property
    def claims(self) -> dict[str, Any]:
        """What the database has to know of the person; see ``db.scope``."""
        return {"sub": self.id, "role": ROLE, "email": self.email}


class Tokens(NamedTuple):
    """Tokens of one log-in; expires_in: seconds the access token is good for."""

    access_token: str
    refresh_token: str
    expires_in: int


class Login(NamedTuple):
    """A person who came in. tokens: absent for browsers when the provider needs none, and while pending.

    pending: the person exists, but has to confirm the e-mail address first.
    """

    person: Person
    tokens: Tokens | None = None
    pending: bool = False


class Identity(Protocol):
    """What a provider can do. Everything raises ApiError: 400 bad input, 401 wrong, 403 banned, 409 taken, 503 away.

    browser: the caller keeps a session of its own, tokens are not needed.
    """

    def signup(self, email: str, password: str, *, browser: bool = False) -> Login: ...

    def login(self, email: str, password: str, *, browser: bool = False) -> Login: ...

    def refresh(self, refresh_token: str) -> Login: ...

    def logout(self, access_token: str) -> None: ...

    def verify(self, access_token: str) -> dict[str, Any]:
        """Claims of an access token that is genuine, in date and not signed out."""
        ...


def choose(config: Config) -> Identity:
    """The provider the settings ask for."""
    from webapp.auth.embedded import EmbeddedIdentity  # noqa: PLC0415  # a provider knows this module

    if config.supabase_url:
        raise ConfigError("SUPABASE_URL: this version cannot sign in through Supabase Auth; leave it empty")
    return EmbeddedIdentity(config)


def identity() -> Identity:
    """The provider of the running app."""
    return current_app.extensions["identity"]
