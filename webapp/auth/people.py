"""The signed-in person of this request; sign-up, log-in and log-out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import flask_login
import psycopg
from flask import current_app, g, request, session
from flask_login import UserMixin

from webapp import db
from webapp.auth import outside, throttle
from webapp.auth.csrf import SAFE
from webapp.auth.identity import Login, Person, identity
from webapp.errors import ADMINS_ONLY, ApiError
from webapp.replica import reading
from webapp.secrets.hashing import sha256_of
from webapp.written import day

log = logging.getLogger("spendai")
LAGS = timedelta(seconds=10)  # a page that is older says so
WRITES = "25006"  # SQLSTATE of what a replica refuses because it writes
T = TypeVar("T")


class User(UserMixin):
    """flask-login's view of a person."""

    def __init__(self, person: Person) -> None:
        self.id, self.person = person.id, person


def load_user(user_id: str) -> User | None:
    """The person of the browser session; the session's row has been read already."""
    person = getattr(session, "person", None)
    return User(person) if person and person.id == user_id else None


def claims() -> dict[str, Any] | None:
    """Claims of the Bearer token below /api, else of the browser session; None for somebody not signed in."""
    if "claims" in g:
        return g.claims
    person = getattr(session, "person", None)
    return person.claims if person else None


@contextmanager
def person(*, writes: bool = False) -> Iterator[db.Transaction]:
    """One transaction as the signed-in person; ApiError 401 when nobody is signed in.

    A request that only reads (GET) may get one of the read replica, unless this transaction ``writes`` all the same.
    ``read`` is for what must not end when the replica does.
    """
    known = claims()
    if known is None:
        raise ApiError(401, "not_signed_in", "sign in first")
    if writes:
        g.changed_by = known["sub"]
    if writes or request.method not in SAFE or g.get("primary"):
        with db.scope("authenticated", known) as tx:
            yield tx
        return
    with reading.reading(known) as found:
        if found.as_of is None:
            g.primary = True  # no part of the answer may be older than another that was read before
        else:
            g.as_of = min(found.as_of, g.get("as_of", found.as_of))
            g.unchecked = g.get("unchecked", False) or not found.checked
        yield found.tx


def read(fetch: Callable[[db.Transaction], T]) -> T:
    """What ``fetch`` reads in one transaction of the signed-in person; asked again when the server failed."""
    before = as_of()
    try:
        with person() as tx:
            return fetch(tx)
    except psycopg.Error as error:
        if not (leaves_replica(error) or broke(error)):
            raise
    if before:
        g.as_of = before  # what was read before, such as the first rows of a file, is as old as it was
    with person() as tx:
        return fetch(tx)


def leaves_replica(error: psycopg.Error) -> bool:
    """Whether this request failed because it read the replica; if so, it reads the primary from now on."""
    if "as_of" not in g or g.get("primary") or not reading.lost(error):
        return False
    if error.sqlstate != WRITES:  # as OpenAI's books do that compare days anew when somebody looks at them
        log.warning("read again from the primary: %s sqlstate=%s", request.endpoint, error.sqlstate)
    g.primary = True
    g.pop("as_of")
    return True


def broke(error: psycopg.Error) -> bool:
    """Whether a request that only reads lost its connection to the primary, for the first time: it may ask again."""
    if request.method not in SAFE or "broke" in g or not reading.broke(error):
        return False
    g.broke = True
    log.warning("read again on a new connection: %s sqlstate=%s", request.endpoint, error.sqlstate)
    return True


def as_of() -> datetime | None:
    """The moment as of which the replica answered this request; None when the primary did."""
    return g.get("as_of")


def lags_since() -> str:
    """When the replica answered, as a time of the organization's zone, where people must be told; else empty.

    They must when it is more than LAGS ago, or when nobody knows whether the replica has what they have just changed.
    """
    moment, now = as_of(), datetime.now(UTC)
    if moment is None or (now - moment <= LAGS and not g.get("unchecked")):
        return ""
    zone = ZoneInfo(g.me["time_zone"]) if g.get("me") else UTC
    time = f"{moment.astimezone(zone):%H:%M:%S}"
    return time if day(moment, zone) == day(now, zone) else f"{day(moment, zone)} {time}"


def changed(user_id: str) -> None:
    """This person has changed something: from now on they read nothing from a replica that lacks it."""
    g.changed_by, g.primary = user_id, True


def note_change() -> None:
    """After a request that went well: remember who may have changed something, and which member it was about."""
    if request.method not in SAFE or "changed_by" in g:
        known, member = claims(), (request.view_args or {}).get("user_id")
        who = g.get("changed_by") or (known and known["sub"])
        for user_id in {str(each) for each in (who, member) if each}:
            reading.note_change(user_id)


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
        raise ADMINS_ONLY


def shown_me() -> dict[str, Any] | None:
    """``me`` for templates: an error page must show even while the database is away."""
    with suppress(psycopg.Error):
        return me()
    return None


def nobody_yet() -> bool:
    """Whether nobody has ever signed up here: the log-in page then greets the first person."""
    return reading.identify(lambda tx: tx.call("nobody_yet"))["nobody_yet"]


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
