"""Team: members of the organization, their roles and keys, and invitations."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.common import attempt, found
from webapp.pages.keys import COLUMNS, rows_of
from webapp.pages.listing import read_listing
from webapp.secrets.hashing import sha256_of

bp = Blueprint("team", __name__)


def page(error: ApiError | None = None, link: str | None = None, typed: dict[str, str] | None = None) -> str:
    """The team page; link: of an invitation just made, which is shown only now."""
    with auth.person() as tx:
        members = tx.rows("member_overview")
        invitations = [row for row in tx.rows("invitation_list") if row["state"] == "open"]
    form = typed or {"email": "", "role": "developer"}
    return render_template("team.html", members=members, invitations=invitations, error=error, link=link, form=form)


@bp.get("/team")
@login_required
def index() -> str:
    """Members and open invitations."""
    return page()


@bp.get("/team.csv")
@bp.get("/team.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The members, as a file."""
    with auth.person() as tx:
        return export.answer("team", ("user_id", "email", "role", "joined_at", "keys"), tx.rows("member_overview"))


@bp.get("/team/<uuid:user_id>")
@login_required
def show(user_id: UUID) -> str:
    """A member or former member, with the keys they made and what those cost."""
    listing = read_listing(COLUMNS)
    with auth.person() as tx:
        people = tx.query("select user_id, email, role, joined_at from public.members where user_id = %s", user_id)
        keys = rows_of(tx, listing, *listing.place, person=str(user_id))
    former = {"user_id": user_id, "email": "Former member", "role": None} if keys else None
    member = found(people[0] if people else former, "member")
    pages = listing.pages(keys[0]["all_keys"] if keys else 0)
    return render_template("member.html", member=member, keys=keys, pages=pages, listing=listing, scope=listing.period)


@bp.post("/team/invitations")
@login_required
def invite() -> str | tuple[str, int]:
    """Make an invitation link and show it; not a redirect, because only its hash is stored."""
    form = {name: request.form.get(name, "") for name in ("email", "role")}
    token = secrets.token_urlsafe(32)
    made, error = attempt(lambda tx: tx.call("invitation_create", form["email"], form["role"], sha256_of(token)))
    if made is None:
        return page(error, typed=form), error.status if error else 500
    link = current_app.config["SPENDAI"].public_url + url_for("account.invitation", token=token)
    return page(link=link, typed={"email": made["email"], "role": made["role"]})


@bp.post("/team/invitations/<uuid:invitation_id>/revoke")
@login_required
def revoke_invitation(invitation_id: UUID) -> Response:
    """Revoke an invitation link."""
    with auth.person() as tx:
        tx.call("invitation_revoke", invitation_id)
    flash("Invitation revoked; its link does not work any more.", "good")
    return redirect(url_for(".index"))


def _member(user_id: UUID) -> tuple[dict[str, Any], bool]:
    """A member, and whether they are the only admin. ApiError 404."""
    with auth.person() as tx:
        rows = tx.query("select user_id, email, role from public.members where user_id = %s", user_id)
        alone = tx.call("only_admin", user_id)["only_admin"]
    return found(rows[0] if rows else None, "member"), alone


def _needs_an_admin(title: str) -> str:
    """The page that says, before anything is confirmed, why the only admin cannot leave or become a developer."""
    return render_template(
        "confirm.html",
        title=title,
        text="You are the only admin, and an organization needs one. Make somebody else an admin first, or hand the"
        " organization over.",
        back=url_for(".index"),
        instead=(url_for("organization.ask_hand_over"), "Hand over"),
    )


@bp.get("/team/<uuid:user_id>/role")
@login_required
def ask_set_role(user_id: UUID) -> str:
    """Ask before the role of a member changes."""
    auth.admins_only()
    member, alone = _member(user_id)
    mine = user_id == (auth.me() or {})["user_id"]
    if member["role"] == "developer":
        title, text = f"Make {member['email']} an admin?", "Admins manage projects, keys, the OpenAI key and people."
    else:
        title = "Become a developer?" if mine else f"Make {member['email']} a developer?"
        text = "Developers see the numbers and change nothing."
    if mine and alone:
        return _needs_an_admin(title)
    other = "admin" if member["role"] == "developer" else "developer"
    words = {"title": title, "text": text, "action": f"Make {other}", "values": {"role": other}}
    return render_template("confirm.html", back=url_for(".index"), **words)


@bp.post("/team/<uuid:user_id>/role")
@login_required
def set_role(user_id: UUID) -> Response | tuple[str, int]:
    """Change the role of a member."""
    role = request.form.get("role", "")
    _, error = attempt(lambda tx: tx.call("member_set_role", user_id, role))
    if error:
        return page(error), error.status
    flash(f"Role changed to {role}.", "good")
    return redirect(url_for(".index"))


@bp.get("/team/<uuid:user_id>/remove")
@login_required
def ask_remove(user_id: UUID) -> str:
    """Ask before somebody is removed or leaves."""
    me = auth.me() or {}
    member, alone = _member(user_id)
    leaving = member["user_id"] == me.get("user_id")
    if not leaving:
        auth.admins_only()
    if leaving and alone:
        return _needs_an_admin(f"Leave {me['organization']}?")
    return render_template(
        "confirm.html",
        title=f"Leave {me['organization']}?" if leaving else f"Remove {member['email']}?",
        text="Keys they made keep working, because keys belong to projects. Revoke or rotate them on the member's page."
        if not leaving
        else "You can no longer see its numbers. Keys you made keep working.",
        action="Leave" if leaving else "Remove",
        back=url_for(".index"),
    )


@bp.post("/team/<uuid:user_id>/remove")
@login_required
def remove(user_id: UUID) -> Response | tuple[str, int]:
    """Remove somebody from the organization, or leave it."""
    _, error = attempt(lambda tx: tx.call("member_remove", user_id))
    if error:
        return page(error), error.status
    leaving = user_id == (auth.me() or {}).get("user_id")
    if leaving:
        flash("You left.", "good")
        return redirect(url_for("spend.index"))
    with auth.person() as tx:
        left = tx.query("select from public.api_keys where created_by = %s and revoked_at is null limit 1", user_id)
    flash(
        "Removed. They see nothing of the organization any more."
        + (" These keys of theirs still work." if left else ""),
        "good",
    )
    return redirect(url_for(".show", user_id=user_id) if left else url_for(".index"))
