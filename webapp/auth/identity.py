"""The seam behind which people prove who they are: one provider per install, chosen by the settings.

The rest of the product sees a ``Person``, and the claims of an access token in Supabase's shape.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from flask import current_app

from webapp.errors import ApiError

ROLE = "authenticated"  # database role of everybody who signed in; also the audience of access tokens
WRONG = ApiError(401, "invalid_credentials", "e-mail address or password is wrong")
NO_TOKEN = ApiError(401, "invalid_token", "the access token is not valid", hint="It may have expired; log in again")
AWAY = ApiError(503, "identity_unavailable", "Signing in is not possible right now", hint="Try again in a minute")


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

    pending: the person exists, but has to confirm the e-mail address first; organization: the name it was wished for
    at sign-up, as far as the provider remembers one.
    """

    person: Person
    tokens: Tokens | None = None
    pending: bool = False
    organization: str | None = None


class Identity(Protocol):
    """What a provider can do. Everything raises ApiError: 400 bad input, 401 wrong, 403 banned, 409 taken, 503 away.

    browser: the caller keeps a session of its own, tokens are not needed. outside: people may come with tokens that
    somebody else gave them, so the first thing seen of a person may be any request.
    """

    outside: bool

    def signup(
        self,
        email: str,
        password: str,
        *,
        browser: bool = False,
        organization: str | None = None,
        invitation: str | None = None,
    ) -> Login:
        """Make an account. organization, invitation: to go on with where the address has to be confirmed first."""
        ...

    def login(self, email: str, password: str, *, browser: bool = False) -> Login: ...

    def refresh(self, refresh_token: str) -> Login:
        """New tokens; 401 when there will never be any, 503 when it is worth trying again."""
        ...

    def logout(self, access_token: str) -> None: ...

    def verify(self, access_token: str) -> dict[str, Any]:
        """Claims of an access token that is genuine, in date and not signed out."""
        ...


def identity() -> Identity:
    """The provider of the running app."""
    return current_app.extensions["identity"]
