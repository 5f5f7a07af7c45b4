"""The embedded identity provider: people and passwords in our own Postgres, in Supabase's tables."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from webapp import db
from webapp.auth import passwords
from webapp.auth.identity import BANNED, NO_REFRESH, NO_TOKEN, WRONG, Login, Person, Tokens
from webapp.auth.sessions import device_and_address
from webapp.auth.tokens import LIFETIME, Signer
from webapp.config import Config
from webapp.errors import ApiError
from webapp.replica import reading
from webapp.secrets.hashing import sha256_of

# The address of an invited person may have been taken by somebody else: nobody confirms addresses here.
INVITED = (
    "Log in instead. If it was not you who signed up, ask the operator of this install for a link to set a new"
    " password (flask users reset): it ends the other one's sessions. Then log in and open the invitation again"
)


class EmbeddedIdentity:
    """Implements ``identity.Identity`` with functions that only the role spendai_auth may call."""

    outside = False

    def __init__(self, config: Config) -> None:
        self._signer = Signer(config)

    def signup(
        self,
        email: str,
        password: str,
        *,
        browser: bool = False,
        organization: str | None = None,
        invitation: str | None = None,
    ) -> Login:
        # First, so that a taken address takes as long as a free one.
        hashed = passwords.hashed(password, email, organization)
        with db.scope("spendai_auth") as tx:
            made = tx.call("local_auth.create_user", email, hashed)["create_user"]
        if made is None:
            hint = INVITED if invitation else "Log in instead"
            raise ApiError(409, "email_taken", "this address has an account already", "email", hint)
        return self._login(Person(str(made), email), browser)

    def login(self, email: str, password: str, *, browser: bool = False) -> Login:
        email = email.strip(" \t\r\n").lower()
        with db.scope("spendai_auth") as tx:
            found = tx.call("local_auth.find_login", email) if "\0" not in email else None
        if not passwords.matches(password, found and found["hash"]) or found is None:
            raise WRONG.anew()
        if found["banned"]:
            raise BANNED.anew()
        return self._login(Person(str(found["user_id"]), email), browser)

    def refresh(self, refresh_token: str) -> Login:
        successor = secrets.token_urlsafe(32)
        with db.scope("spendai_auth") as tx:
            row = tx.call("login_session_refresh", sha256_of(refresh_token), sha256_of(successor))
        if row is None:
            raise NO_REFRESH.anew()
        return self._with_tokens(Person(str(row["user_id"]), row["email"]), str(row["session_id"]), successor)

    def logout(self, access_token: str) -> None:
        claims = self._signer.read(access_token)
        if claims:
            with db.scope("spendai_auth") as tx:
                tx.call("login_session_end", UUID(claims["session_id"]))

    def verify(self, access_token: str) -> dict[str, Any]:
        claims = self._signer.read(access_token)
        if claims is None:
            raise NO_TOKEN.anew()
        alive = reading.identify(lambda tx: tx.call("login_session_alive", UUID(claims["session_id"])))
        if not alive or not alive["login_session_alive"]:
            raise NO_TOKEN.anew()
        return claims

    def set_email(self, login: Login, email: str) -> str | None:
        with db.scope("spendai_auth") as tx:
            return tx.call("email_change", UUID(login.person.id), email)["email_change"]

    def set_password(self, login: Login, password: str) -> None:
        hashed = passwords.hashed(password)
        with db.scope("spendai_auth") as tx:
            tx.call("local_auth.set_password", UUID(login.person.id), hashed)

    def _login(self, person: Person, browser: bool) -> Login:
        if browser:
            return Login(person)
        token = secrets.token_urlsafe(32)
        with db.scope("spendai_auth") as tx:
            started = tx.call("login_session_start", UUID(person.id), sha256_of(token), *device_and_address())
        return self._with_tokens(person, str(started["login_session_start"]), token)

    def _with_tokens(self, person: Person, session_id: str, refresh_token: str) -> Login:
        return Login(person, Tokens(self._signer.issue(person, session_id), refresh_token, LIFETIME))
