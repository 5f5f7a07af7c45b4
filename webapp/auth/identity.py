"""What an identity provider is: the interface of the embedded one and of Supabase Auth; an install has one of them.

The other modules see a ``Person``, and the claims of an access token in the form that Supabase gives them.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from flask import current_app

from webapp.errors import ApiError

ROLE = "authenticated"  # database role of everybody who signed in; also the audience of access tokens
WRONG = ApiError(401, "invalid_credentials", "e-mail address or password is wrong")
NO_REFRESH = ApiError(401, "invalid_refresh_token", "the refresh token is not valid any more", hint="Log in again")
BANNED = ApiError(403, "account_banned", "this account is closed")
LINK_INVALID = ApiError(404, "link_invalid", "this link is not valid any more", hint="Ask for a new one")
NO_TOKEN = ApiError(401, "invalid_token", "the access token is not valid", hint="It may have expired; log in again")
AWAY = ApiError(503, "identity_unavailable", "Signing in is not possible right now", hint="Try again in a minute")


class Person(NamedTuple):
    """Somebody whose identity is proven; email is lower-case."""

    id: str
    email: str

    @property
    def claims(self) -> dict[str, Any]:
        """The claims that row level security reads; see ``db.scope``."""
        return {"sub": self.id, "role": ROLE, "email": self.email}


class Tokens(NamedTuple):
    """Tokens of one log-in; expires_in: seconds for which the access token is valid."""

    access_token: str
    refresh_token: str
    expires_in: int


class Login(NamedTuple):
    """A person who logged in or signed up.

    tokens: None for a browser where the provider needs none, and while pending. pending: the account exists, but its
    e-mail address has to be confirmed first. organization: the name given at sign-up, where the provider stored it.
    """

    person: Person
    tokens: Tokens | None = None
    pending: bool = False
    organization: str | None = None


class Identity(Protocol):
    """What a provider can do. Every method raises ApiError: 400 bad input, 401 wrong credentials or token, 403 banned
    or not confirmed, 409 address taken, 429 too many tries, 503 provider not reachable.

    browser: the caller keeps a session of its own and needs no tokens. outside: people can get tokens directly from the
    provider, so the first request that SpendAI sees of a person may be any request of the API.
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
        """Make an account. organization, invitation: kept by a provider that has the address confirmed first."""
        ...

    def login(self, email: str, password: str, *, browser: bool = False) -> Login: ...

    def refresh(self, refresh_token: str) -> Login:
        """New tokens. ApiError 401 when the refresh token is not valid, 503 when a later try may succeed."""
        ...

    def logout(self, access_token: str) -> None: ...

    def set_email(self, login: Login, email: str) -> str | None:
        """Change the address of a person who has just proven who they are; psycopg.Error PTnnn where SQL refuses it.

        Returns the new address; None when the provider waits until it is confirmed.
        """
        ...

    def set_password(self, login: Login, password: str) -> None:
        """Change the password of a person who has just proven who they are."""
        ...

    def verify(self, access_token: str) -> dict[str, Any]:
        """Claims of an access token whose signature and times are right and whose log-in has not ended."""
        ...


def identity() -> Identity:
    """The provider of the running app."""
    return current_app.extensions["identity"]
