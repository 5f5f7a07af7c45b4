"""Account: the person's own password, and where they are signed in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required, passwords, throttle
from webapp.auth.identity import Login, identity
from webapp.auth.people import sign_in, sign_out
from webapp.errors import ApiError
from webapp.secrets.hashing import sha256_of

bp = Blueprint("profile", __name__)


def page(error: ApiError | None = None) -> str:
    """The account; error: why the password was not changed."""
    with db.scope("spendai_auth") as tx:
        found = tx.rows("session_list", UUID(session.person.id), sha256_of(session.id))
    outside = bool(current_app.config["SPENDAI"].supabase_url)
    return render_template("profile.html", person=session.person, sessions=found, outside=outside, error=error)


@bp.get("/account")
@login_required
def index() -> str:
    """Password and sessions."""
    return page()


@bp.post("/account/password")
@login_required
def change_password() -> Response | tuple[str, int]:
    """Change the password, given the current one; every other session ends."""
    person = session.person
    try:
        if current_app.config["SPENDAI"].supabase_url:
            raise ApiError(400, "password_elsewhere", "Supabase keeps the passwords here")
        try:
            with throttle.counted(person.email):
                identity().login(person.email, request.form.get("current", ""), browser=True)
        except ApiError as error:
            if error.code == "invalid_credentials":
                raise ApiError(400, "wrong_password", "this is not your password", "current") from None
            raise
        organization = (auth.me() or {}).get("organization")
        hashed = passwords.hashed(request.form.get("password", ""), person.email, organization)
    except ApiError as error:
        return page(error), error.status
    with db.scope("spendai_auth") as tx:
        tx.call("local_auth.set_password", UUID(person.id), hashed)
        tx.call("sessions_end_all", UUID(person.id))
    sign_in(Login(person))
    flash("Your password is changed. You are signed out everywhere else.", "good")
    return redirect(url_for(".index"), 303)


@bp.get("/account/sessions")
@login_required
def ask_end_sessions() -> str:
    """Ask before every session ends."""
    return render_template(
        "confirm.html",
        title="Sign out everywhere?",
        text="Every browser and every log-in through the API ends, this one too. Log in again with your password.",
        action="Sign out everywhere",
        back=url_for(".index"),
        values={},
    )


@bp.post("/account/sessions")
@login_required
def end_sessions() -> Response:
    """Sign out everywhere, here too: this session may be the one that somebody else holds."""
    person = session.person
    sign_out()
    with db.scope("spendai_auth") as tx:
        tx.call("sessions_end_all", UUID(person.id))
    flash("You are signed out everywhere.", "good")
    return redirect(url_for("account.login"), 303)
