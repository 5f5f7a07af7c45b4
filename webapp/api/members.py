"""/members and /invitations: who belongs to the organization, and who is invited."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from flask import current_app, g

from webapp import auth
from webapp.api.account import about
from webapp.api.blueprint import bp
from webapp.api.inputs import fields
from webapp.api.shape import listed, plain
from webapp.secrets.hashing import sha256_of

MEMBERS = "select user_id, email, role, joined_at from public.members order by joined_at, user_id"
MEMBER = "select user_id, email, role, joined_at from public.members where user_id = %s"


@bp.get("/members")
def members() -> dict[str, Any]:
    with auth.person() as tx:
        return listed(tx.query(MEMBERS))


@bp.patch("/members/<uuid:user_id>")
def change_member(user_id: UUID) -> dict[str, Any]:
    role = fields("RoleChange").text("role")
    with auth.person() as tx:
        tx.call("member_set_role", user_id, role)
        return plain(tx.query(MEMBER, user_id)[0])


@bp.delete("/members/<uuid:user_id>")
def remove_member(user_id: UUID) -> tuple[str, int]:
    with auth.person() as tx:
        tx.call("member_remove", user_id)
    return "", 204


@bp.get("/invitations")
def invitations() -> dict[str, Any]:
    auth.admins_only()
    with auth.person() as tx:
        return listed(tx.rows("invitation_list"))


@bp.post("/invitations")
def invite() -> tuple[dict[str, Any], int]:
    body, token = fields("NewInvitation"), secrets.token_urlsafe(32)
    with auth.person() as tx:
        made = tx.call("invitation_create", body.text("email"), body.text("role"), sha256_of(token))
    link = f"{current_app.config['SPENDAI'].public_url}/invitation/{token}"
    return plain(made) | {"token": token, "link": link}, 201


@bp.delete("/invitations/<uuid:invitation_id>")
def revoke_invitation(invitation_id: UUID) -> tuple[str, int]:
    with auth.person() as tx:
        tx.call("invitation_revoke", invitation_id)
    return "", 204


@bp.post("/invitations/accept")
def accept_invitation() -> dict[str, Any]:
    token = fields("Acceptance").text("token")
    with auth.person() as tx:
        tx.call("invitation_accept", sha256_of(token))
        return about(tx.call("me"), g.claims["sub"], g.claims["email"])
