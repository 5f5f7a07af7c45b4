"""/auth and /me: sign-up, tokens, and the person they belong to."""

from __future__ import annotations

from typing import Any

from flask import g

from webapp import auth, db
from webapp.api.blueprint import bp
from webapp.api.inputs import fields
from webapp.auth.identity import Login, identity
from webapp.auth.people import log_in, sign_up


@bp.post("/auth/signup")
def signup() -> tuple[dict[str, Any], int]:
    body = fields("SignUp")
    found = sign_up(
        body.text("email"),
        body.text("password"),
        body.text("organization", needed=False),
        body.text("invitation", needed=False),
        browser=False,
    )
    if found.pending:
        return {"user": {"id": found.person.id, "email": found.person.email}, "confirmation": "pending"}, 202
    return _with_tokens(found), 201


@bp.post("/auth/login")
def login() -> dict[str, Any]:
    body = fields("LogIn")
    return _with_tokens(log_in(body.text("email"), body.text("password"), browser=False))


@bp.post("/auth/refresh")
def refresh() -> dict[str, Any]:
    return _with_tokens(identity().refresh(fields("Refresh").text("refresh_token")))


@bp.post("/auth/logout")
def logout() -> tuple[str, int]:
    identity().logout(g.token)
    return "", 204


@bp.get("/me")
def me() -> dict[str, Any]:
    return about(auth.me(), g.claims["sub"], g.claims.get("email", ""))


def about(row: dict[str, Any] | None, user_id: str, email: str) -> dict[str, Any]:
    """A person and their organization as JSON; row: of app.me(), None for a person without organization."""
    return {
        "user": {"id": user_id, "email": row["email"] if row else email, "role": row["role"] if row else None},
        "organization": {"id": str(row["org_id"]), "name": row["organization"]} if row else None,
    }


def _with_tokens(login: Login) -> dict[str, Any]:
    with db.scope("authenticated", login.person.claims) as tx:
        row = tx.call("me")
    return {
        "access_token": login.tokens.access_token,
        "refresh_token": login.tokens.refresh_token,
        "token_type": "bearer",
        "expires_in": login.tokens.expires_in,
        **about(row, login.person.id, login.person.email),
    }
