"""The signed-in person of this request; sign-up, log-in and log-out."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import flask_login
import psycopg
from flask import current_app, g, session
from flask_login import UserMixin

from webapp import db
from webapp.auth import outside, throttle
from webapp.auth.identity import Login, Person, identity
from webapp.auth.transactions import changed, claims, person, read
from webapp.errors import ADMINS_ONLY, ApiError
from webapp.replica import reading
from webapp.secrets.hashing import sha256_of


class User(UserMixin):
    """flask-login's view of a person."""

    def __init__(self, person: Person) -> None:
        self.id, self.person = person.id, person


def load_user(user_id: str) -> User | None:
    """The person of the browser session; the session's row has been read already."""
    person = getattr(session, "person", None)
    return User(person) if person and person.id == user_id else None


def me(tx: db.Transaction | None = None) -> dict[str, Any] | None:
    """The row of app.me(), read once per request; None for somebody not signed in or without an organization.

    tx: a transaction of the same person that is open already; without it a second connection would be taken.
    """
    if "me" not in g:
        if claims() is None:
            return None
        g.me = tx.call("me") if tx else read(lambda reader: reader.call("me"))
    return g.me


def admins_only() -> None:
    """ApiError 403 for everybody but admins.

    For pages that lead to a change, which SQL refuses too, and for lists, which row level security would show empty.
    """
    if (me() or {}).get("role") != "admin":
        raise ADMINS_ONLY.anew()


def shown_me() -> dict[str, Any] | None:
    """``me`` for templates: an error page must show even while the database is away."""
    with suppress(psycopg.Error):
        return me()
    return None


def nobody_yet() -> bool:
    """Whether nobody has ever signed up here: the log-in page then greets the first person."""
    return reading.identify(lambda tx: tx.call("nobody_yet"))["nobody_yet"]


def sign_up_closed() -> bool:
    """Whether nobody signs up without an invitation: SIGNUP_MODE says so, and the first person has signed up."""
    if current_app.config["SPENDAI"].signup_mode != "invite":
        return False
    try:
        with db.scope("spendai_auth") as tx:
            tx.call("signup_check", "somebody@example.com", None, None, True)
    except psycopg.Error as refused:
        if refused.sqlstate != "PT403":
            raise
        return True
    return False


def sign_up(email: str, password: str, organization: str | None, invitation: str | None, *, browser: bool) -> Login:
    """Make an account with its organization, or one that joins the inviting organization.

    Raises ApiError, or psycopg.Error with the SQLSTATE PTnnn of a refusal.
    """
    token_hash = sha256_of(invitation) if invitation else None
    invite_only = current_app.config["SPENDAI"].signup_mode == "invite"
    with db.scope("spendai_auth") as tx:
        email = tx.call("signup_check", email, organization, token_hash, invite_only)["signup_check"]
    throttle.count_signup()
    login = identity().signup(email, password, browser=browser, organization=organization, invitation=invitation)
    if login.pending:
        return login
    if token_hash:
        with db.scope("authenticated", login.person.claims) as tx:
            tx.call("invitation_accept", token_hash)
        changed(login.person.id)
    else:
        ensure_organization(login.person, organization)
    return login


def log_in(email: str, password: str, *, browser: bool) -> Login:
    """Check a password. Make an organization for a person without one: sign-up was interrupted, or they left theirs."""
    with throttle.counted(email):
        login = identity().login(email, password, browser=browser)
    _give_organization(login.person, login.organization)
    return login


def _give_organization(who: Person, name: str | None) -> None:
    """name: as the person's own metadata at the provider has it, which may be no name at all."""
    try:
        ensure_organization(who, name)
    except psycopg.Error as error:
        if error.sqlstate == "PT400" and name:
            _give_organization(who, None)
        elif error.sqlstate != "PT403":  # sign-up is closed: logged in all the same, and shown a page that says so
            raise


def ensure_organization(who: Person, name: str | None = None) -> None:
    """Make an organization for a person who has none; name: None for the one that SQL chooses."""
    config = current_app.config["SPENDAI"]
    with db.scope("authenticated", who.claims) as tx:
        tx.call("ensure_organization", name, config.install_key, config.signup_mode == "invite")
    changed(who.id)


def welcome_outsider() -> None:
    """Make an organization for a new person who brought a token of an outside provider, as a log-in does."""
    if not identity().outside or me() is not None:
        return
    with person() as tx:
        former = tx.call("former_member")["former_member"]
    if not former:
        _give_organization(Person(g.claims["sub"], g.claims.get("email", "")), None)
        g.pop("me")


def sign_in(login: Login) -> None:
    """Give this browser a session of its own."""
    session.start(login)
    flask_login.login_user(User(login.person))
    g.pop("me", None)


def sign_out() -> None:
    """End this browser's session, and the one at an outside provider if that can be reached."""
    kept = outside.unseal(session.id, session.tokens) if session.tokens else None
    session.end()
    if kept:
        with suppress(ApiError):
            identity().logout(kept.access_token)
    flask_login.logout_user()
    g.pop("me", None)
