"""Pages of signing in and out: log-in, sign-up, invitation, password links, log-out, making an organization."""

from __future__ import annotations

from uuid import UUID

import psycopg
from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import passwords
from webapp.auth.csrf import safe_path
from webapp.auth.identity import Login, Person, Tokens, identity
from webapp.auth.people import ensure_organization, log_in, nobody_yet, sign_in, sign_out, sign_up, sign_up_closed
from webapp.errors import ApiError, as_api_error, from_database
from webapp.replica import reading
from webapp.secrets.hashing import sha256_of

bp = Blueprint("account", __name__)
Page = Response | str | tuple[str, int]


def peek(token: str | None) -> dict[str, object] | None:
    """Organization, e-mail address and role of an open invitation; None for no token or one that is not valid."""
    if not token:
        return None
    return reading.identify(lambda tx: tx.call("invitation_peek", sha256_of(token)))


def accept(token: str) -> None:
    """Join by invitation as the person who just signed in. A refusal becomes a message: they stay signed in."""
    try:
        with auth.person() as tx:
            joined = tx.call("invitation_accept", sha256_of(token))
        flash(f"Welcome to {joined['name']}.", "good")
    except psycopg.Error as error:
        flash(_sentence(from_database(error)), "bad")


def _sentence(error: ApiError) -> str:
    return error.message[:1].upper() + error.message[1:] + "." + (f" {error.hint}." if error.hint else "")


@bp.route("/login", methods=["GET", "POST"])
def login() -> Page:
    onward, token, error = safe_path(request.values.get("next")), request.values.get("invitation"), None
    if request.method == "GET" and session.person:
        return redirect(onward)
    if request.method == "POST":
        try:
            sign_in(log_in(request.form.get("email", ""), request.form.get("password", ""), browser=True))
        except ApiError as refused:
            error = refused
        else:
            if token:
                accept(token)
            return redirect(onward, 303)
    words = {"next": onward, "token": token, "invitation": peek(token), "error": error}
    return render_template("account/login.html", nobody_yet=nobody_yet(), **words), error.status if error else 200


@bp.route("/signup", methods=["GET", "POST"])
def signup() -> Page:
    token, error, form = request.values.get("invitation"), None, request.form
    if request.method == "GET" and session.person:
        return redirect(url_for("account.invitation", token=token) if token else "/")
    if request.method == "POST":
        try:
            words = (form.get("email", ""), form.get("password", ""), form.get("organization"), token or None)
            found = sign_up(*words, browser=True)
            if found.pending:
                return render_template("account/confirm.html", email=found.person.email)
            sign_in(found)
        except (ApiError, psycopg.Error) as refused:
            error = as_api_error(refused)
        else:
            return redirect("/", 303)
    closed = not token and sign_up_closed()
    page = render_template("account/signup.html", token=token, invitation=peek(token), error=error, closed=closed)
    return page, error.status if error else 200


@bp.post("/logout")
def logout() -> Page:
    sign_out()
    return redirect(url_for("account.login"), 303)


@bp.route("/invitation/<token>", methods=["GET", "POST"])
def invitation(token: str) -> Page:
    found = peek(token)
    if found is None:
        return render_template("account/invitation_gone.html"), 404
    if request.method == "POST" and session.person:
        accept(token)
        return redirect("/", 303)
    return render_template("account/invitation.html", token=token, invitation=found, person=session.person)


@bp.route("/password/<token>", methods=["GET", "POST"])
def password(token: str) -> Page:
    found = reading.identify(lambda tx: tx.call("password_reset_peek", sha256_of(token)))
    if found is None:
        return render_template("account/password_gone.html"), 404
    email, error = found["email"], None
    if request.method == "POST":
        try:
            words = sha256_of(token), passwords.hashed(request.form.get("password", ""), email)
            with db.scope("spendai_auth") as tx:
                used = tx.call("password_reset_use", *words)["password_reset_use"]
        except ApiError as refused:
            error = refused
        else:
            if used is None:  # another tab was faster
                return render_template("account/password_gone.html"), 404
            sign_out()
            flash("Your new password is set. Log in with it.", "good")
            return redirect(url_for("account.login"), 303)
    return render_template("account/password.html", email=email, error=error), error.status if error else 200


@bp.route("/recovery", methods=["GET", "POST"])
def recovery() -> Page:
    """Where Supabase's recovery link leads; without a link, the form that has one sent.

    The link has a token hash in its query string, or tokens in its fragment, which app.js puts into the form.
    """
    if not identity().outside:
        raise ApiError(404, "not_found", "no such page")
    words = {name: request.values.get(name, "") for name in ("token_hash", "access_token", "refresh_token")}
    error = None
    if request.method == "POST":
        try:
            if "email" in request.form:
                identity().ask_recovery(request.form["email"])
                flash("If that address has an account, Supabase sends a link to it.", "good")
                return redirect(url_for("account.login"), 303)
            password = request.form.get("password", "")
            passwords.check(password)  # first, because a token hash is good once
            if words["token_hash"]:
                found = identity().open_recovery(words["token_hash"])
                words = {"access_token": found.tokens.access_token, "refresh_token": found.tokens.refresh_token}
            claims = identity().verify(words["access_token"])
            tokens = Tokens(words["access_token"], words["refresh_token"], 0)
            identity().set_password(Login(Person(claims["sub"], claims.get("email", "")), tokens), password)
        except ApiError as refused:
            error = refused
        else:
            with db.scope("spendai_auth") as tx:
                tx.call("sessions_end_all", UUID(claims["sub"]))
            sign_out()
            flash("Your new password is set. Log in with it.", "good")
            return redirect(url_for("account.login"), 303)
    return render_template("account/recovery.html", error=error, **words), error.status if error else 200


@bp.route("/organization", methods=["GET", "POST"])
@login_required
def organization() -> Page:
    if auth.me() is not None:
        return redirect("/")
    error = None
    if request.method == "POST":
        try:
            ensure_organization(session.person, request.form.get("organization"))
        except psycopg.Error as refused:
            error = from_database(refused)
        else:
            return redirect("/", 303)
    closed = current_app.config["SPENDAI"].signup_mode == "invite"
    page = render_template("account/organization.html", person=session.person, closed=closed, error=error)
    return page, error.status if error else 200
