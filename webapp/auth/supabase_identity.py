"""Supabase Auth as the identity provider: it stores people and passwords, and is called over HTTP.

Each request has a client of its own, because a supabase-py client remembers who signed in last; with a shared TLS
context that costs 0.2 ms. supabase-py is used because it understands the error bodies of every GoTrue version.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
from supabase import AuthApiError, AuthError, AuthInvalidCredentialsError, AuthWeakPasswordError, create_client
from supabase.lib.client_options import SyncClientOptions

from webapp.auth import passwords
from webapp.auth.identity import AWAY, BANNED, LINK_INVALID, NO_REFRESH, NO_TOKEN, WRONG, Login, Person, Tokens
from webapp.auth.jwks import TIMEOUT, KeysUnavailable, Verifier, tls
from webapp.config import Config
from webapp.errors import ApiError
from webapp.replica import reading

log = logging.getLogger("spendai.auth")
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs URLs, and one may hold an invitation's token

# Error code of GoTrue, the server of Supabase Auth → the error raised here. Any other code means that the provider does
# not work: 503.
REFUSALS = {
    "invalid_credentials": WRONG,
    "validation_failed": WRONG,
    "user_not_found": WRONG,
    "user_banned": BANNED,
    "email_not_confirmed": ApiError(
        403, "email_not_confirmed", "confirm your e-mail address first", hint="The link is in the e-mail you got"
    ),
    "over_request_rate_limit": ApiError(429, "too_many_attempts", "too many attempts", hint="Wait a few minutes"),
    "over_email_send_rate_limit": ApiError(
        429, "too_many_attempts", "no more e-mails can be sent right now", hint="Wait a few minutes"
    ),
}
TAKEN = ApiError(409, "email_taken", "this address has an account already", "email", "Log in instead")
NO_ADDRESS = ApiError(400, "email_invalid", "this e-mail address is not accepted", "email")
CLOSED = ApiError(403, "signup_closed", "sign-up is switched off in Supabase")
SIGNUP_REFUSALS = REFUSALS | {
    "user_already_exists": TAKEN,
    "email_exists": TAKEN,
    "signup_disabled": CLOSED,
    "email_provider_disabled": CLOSED,
    "email_address_invalid": NO_ADDRESS,
    "email_address_not_authorized": NO_ADDRESS,
    "validation_failed": NO_ADDRESS,
}
CHANGE_REFUSALS = SIGNUP_REFUSALS | {
    "same_password": ApiError(400, "same_password", "this is your password already", "password"),
    "reauthentication_needed": ApiError(403, "login_needed", "log in again first, then change it within a day"),
    "session_not_found": NO_TOKEN,
    "session_expired": NO_TOKEN,
    "bad_jwt": NO_TOKEN,
}
RECOVERY_REFUSALS = dict.fromkeys(("otp_expired", "otp_disabled", "user_not_found", "validation_failed"), LINK_INVALID)
REFRESH_REFUSALS = dict.fromkeys(
    ("refresh_token_not_found", "refresh_token_already_used", "session_not_found", "session_expired", "user_banned",
     "user_not_found", "validation_failed"), NO_REFRESH
)  # fmt: skip


class SupabaseIdentity:
    """Implements ``identity.Identity`` with a Supabase project."""

    outside = True

    def __init__(self, config: Config) -> None:
        self._config, self._context = config, tls()
        self._verifier = Verifier(config, self._context)

    def signup(
        self,
        email: str,
        password: str,
        *,
        browser: bool = False,
        organization: str | None = None,
        invitation: str | None = None,
    ) -> Login:
        passwords.check(password, email, organization)
        onward = self._config.public_url + (f"/invitation/{invitation}" if invitation else "/login")
        options = {"data": {"organization": organization} if organization else {}, "email_redirect_to": onward}
        words = {"email": email, "password": password, "options": options}
        answer = self._ask(lambda auth: auth.sign_up(words), SIGNUP_REFUSALS)
        if answer.session is None:
            return Login(Person(str(answer.user.id), email), pending=True)
        return _login(answer)

    def login(self, email: str, password: str, *, browser: bool = False) -> Login:
        words = {"email": email.strip(" \t\r\n").lower(), "password": password}
        return _login(self._ask(lambda auth: auth.sign_in_with_password(words), REFUSALS))

    def refresh(self, refresh_token: str) -> Login:
        if not refresh_token:
            raise NO_REFRESH.anew()
        return _login(self._ask(lambda auth: auth.refresh_session(refresh_token), REFRESH_REFUSALS))

    def logout(self, access_token: str) -> None:
        """End this log-in at the provider; one that has ended already is no error."""
        over = dict.fromkeys(("session_not_found", "session_expired", "bad_jwt", "user_not_found", "no_authorization"))
        self._ask(lambda auth: auth.admin.sign_out(access_token, "local"), over)

    def set_email(self, login: Login, email: str) -> str | None:
        onward = {"email_redirect_to": self._config.public_url + "/account"}
        wished = email.strip(" \t\r\n").lower()
        user = self._change(login, {"email": wished}, onward)
        self.logout(login.tokens.access_token)  # the log-in was only the proof of the password
        return wished if user.email == wished else None

    def set_password(self, login: Login, password: str) -> None:
        passwords.check(password)
        self._change(login, {"password": password})

    def _change(self, login: Login, words: dict[str, str], options: dict[str, str] | None = None) -> Any:
        """The user after a change of their own account."""

        def change(auth: Any) -> Any:
            auth.set_session(login.tokens.access_token, login.tokens.refresh_token)
            return auth.update_user(words, options).user

        return self._ask(change, CHANGE_REFUSALS)

    def ask_recovery(self, email: str) -> None:
        """Have Supabase send a link to /recovery, where a new password is set; says nothing of unknown addresses."""
        onward = {"redirect_to": self._config.public_url + "/recovery"}
        words = email.strip(" \t\r\n").lower()
        self._ask(lambda auth: auth.reset_password_for_email(words, onward), SIGNUP_REFUSALS | {"user_not_found": None})

    def open_recovery(self, token_hash: str) -> Login:
        """Whose recovery link this is; a token hash is good once. ApiError 404."""
        words = {"type": "recovery", "token_hash": token_hash}
        return _login(self._ask(lambda auth: auth.verify_otp(words), RECOVERY_REFUSALS))

    def verify(self, access_token: str) -> dict[str, Any]:
        try:
            claims = self._verifier.read(access_token)
        except KeysUnavailable as error:
            log.error("the keys of Supabase Auth cannot be fetched from %s", error)
            raise AWAY.anew() from None
        if claims is None:
            raise NO_TOKEN.anew()
        alive = reading.identify(lambda tx: tx.call("user_alive", UUID(claims["sub"])))
        if not alive or not alive["user_alive"]:
            raise NO_TOKEN.anew()
        return claims

    def _ask(self, question: Callable[[Any], Any], refusals: dict[str, ApiError | None]) -> Any:
        """Send one request. Raises the ApiError that ``refusals`` has for the provider's error code, else AWAY.

        A code whose value in ``refusals`` is None counts as success; the result is then None.
        """
        with self._client() as auth:
            try:
                return question(auth)
            except AuthInvalidCredentialsError:  # supabase-py saw that a field is empty
                raise WRONG.anew() from None
            except AuthWeakPasswordError as error:
                raise ApiError(400, "weak_password", error.message.rstrip("."), "password") from None
            except AuthApiError as error:
                known = refusals.get(error.code or "", AWAY)
                if known is AWAY:
                    log.error("Supabase Auth answers status=%s code=%s", error.status, error.code)
                if known:
                    raise known.anew() from None
            except (AuthError, httpx.HTTPError, ValueError) as error:  # ValueError: the answer is not JSON
                log.error("Supabase Auth does not answer: %s", type(error).__name__)
                raise AWAY.anew() from None
        return None

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with httpx.Client(verify=self._context, timeout=TIMEOUT) as http:
            options = SyncClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
            # A confirmation link must work without state of this client, which PKCE would need.
            options.flow_type = "implicit"
            yield create_client(self._config.supabase_url, self._config.supabase_publishable_key, options).auth


def _login(answer: Any) -> Login:
    """The Login of supabase-py's answer."""
    session, user = answer.session, answer.user
    tokens = Tokens(session.access_token, session.refresh_token, session.expires_in)
    wished = (user.user_metadata or {}).get("organization")  # written by the user: only ever used as a name
    named = isinstance(wished, str) and wished.isprintable() and len(wished) <= 200
    return Login(Person(str(user.id), (user.email or "").lower()), tokens, organization=wished if named else None)
