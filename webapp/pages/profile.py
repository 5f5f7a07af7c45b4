"""Account: the person's own e-mail address and password, where they are signed in, and the end of the account."""

from __future__ import annotations

from uuid import UUID

import psycopg
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required, passwords, throttle
from webapp.auth.devices import device
from webapp.auth.identity import Login, identity
from webapp.auth.people import ensure_organization, sign_in, sign_out
from webapp.errors import ApiError, as_api_error
from webapp.pages.common import found
from webapp.replica import reading
from webapp.secrets.hashing import sha256_of

bp = Blueprint("profile", __name__)


def page(error: ApiError | None = None) -> str:
    """The account; error: why nothing was changed."""
    hashed = sha256_of(session.id)
    sessions = reading.identify(lambda tx: tx.rows("session_list", UUID(session.person.id), hashed))
    words = {"person": session.person, "sessions": sessions, "outside": identity().outside, "error": error}
    return render_template("profile.html", device=device, **words)


def proven(password: str) -> Login:
    """A log-in with the person's own password, which is asked before the account changes. ApiError 400, 429."""
    try:
        with throttle.counted(session.person.email):
            return identity().login(session.person.email, password, browser=True)
    except ApiError as error:
        if error.code == "invalid_credentials":
            raise ApiError(400, "wrong_password", "this is not your password", "current") from None
        raise


@bp.get("/account")
@login_required
def index() -> str:
    """E-mail address, password, sessions."""
    return page()


@bp.post("/account/email")
@login_required
def change_email() -> Response | tuple[str, int]:
    """Change the e-mail address, given the password."""
    try:
        login = proven(request.form.get("current_for_email", ""))
        email = identity().set_email(login, request.form.get("email", ""))
    except (ApiError, psycopg.Error) as refused:
        error = as_api_error(refused)
        if error.code == "wrong_password":
            error = ApiError(400, error.code, error.message, "current_for_email")
        return page(error), error.status
    if email is None:
        flash("Supabase sends a link to confirm the new address. Until it is opened, log in with the old one.", "good")
    else:
        if identity().outside:
            ensure_organization(login.person)  # takes the new address over
        flash(f"From now on you log in with {email}.", "good")
    return redirect(url_for(".index"), 303)


@bp.post("/account/password")
@login_required
def change_password() -> Response | tuple[str, int]:
    """Change the password, given the current one; every other session ends."""
    person = session.person
    try:
        login = proven(request.form.get("current", ""))
        organization = (auth.me() or {}).get("organization")
        passwords.check(request.form.get("password", ""), person.email, organization)
        identity().set_password(login, request.form.get("password", ""))
    except ApiError as error:
        return page(error), error.status
    with db.scope("spendai_auth") as tx:
        tx.call("sessions_end_all", UUID(person.id))
    sign_in(login)
    flash("Your password is changed. You are logged out everywhere else.", "good")
    return redirect(url_for(".index"), 303)


@bp.get("/account/sessions")
@login_required
def ask_end_sessions() -> str:
    """Ask before every session ends."""
    return render_template(
        "confirm.html",
        title="Log out everywhere?",
        text="Every browser and every log-in through the API ends, this one too. Log in again with your password.",
        action="Log out everywhere",
        back=url_for(".index"),
    )


@bp.post("/account/sessions")
@login_required
def end_sessions() -> Response:
    """Log out everywhere, here too: this session may be the one that somebody else holds."""
    person = session.person
    sign_out()
    with db.scope("spendai_auth") as tx:
        tx.call("sessions_end_all", UUID(person.id))
    flash("You are logged out everywhere.", "good")
    return redirect(url_for("account.login"), 303)


@bp.post("/account/sessions/<uuid:session_id>/end")
@login_required
def end_session(session_id: UUID) -> Response:
    """End one session of one's own."""
    with db.scope("spendai_auth") as tx:
        ended = tx.call("session_end_one", UUID(session.person.id), session_id)["session_end_one"]
    found({"ended": True} if ended else None, "session")
    flash("That session has ended.", "good")
    return redirect(url_for(".index"), 303)


@bp.get("/account/delete")
@login_required
def ask_delete(error: ApiError | None = None) -> str:
    """Ask for the password before the account is deleted; say before that why it cannot be."""
    with auth.person() as tx:
        alone = tx.call("only_admin", UUID(session.person.id))["only_admin"]
    words = {"person": session.person, "alone": alone, "outside": identity().outside, "error": error}
    return render_template("account/delete.html", **words)


@bp.post("/account/delete")
@login_required
def delete() -> Response | tuple[str, int]:
    """Delete the account, given the password."""
    try:
        if identity().outside:
            raise ApiError(400, "account_elsewhere", "Supabase keeps your account; it is deleted there")
        login = proven(request.form.get("current", ""))
        with db.scope("spendai_auth") as tx:
            tx.call("account_delete", UUID(login.person.id))
    except (ApiError, psycopg.Error) as refused:
        error = as_api_error(refused)
        return ask_delete(error), error.status
    sign_out()
    flash("Your account is deleted.", "good")
    return redirect(url_for("account.login"), 303)
