"""The organization as a whole: export of everything, handing it over, and its deletion with seven days of grace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export, organization_export
from webapp.pages.common import attempt

bp = Blueprint("organization", __name__)
NOTE = (
    "One CSV file for each table, in UTF-8. The sums are of the rows in the file; an empty cell is not known and adds"
    " nothing. What happened while the export was made may be missing. Keys, hashes, prompts and answers are in no"
    " file: keys are stored encrypted or as a hash, prompts and answers not at all. A text that a spreadsheet would run"
    " as a formula has an apostrophe in front."
)


@bp.get("/settings/export.zip")
@login_required
def everything() -> Response:
    """Every row of the organization that people may read, as a zip."""
    auth.admins_only()
    me = auth.me() or {}
    with auth.person(writes=True) as tx:  # a line of the audit log
        tables = tx.rows("organization_export")
    now = datetime.now(UTC)
    about = {"organization": {"id": str(me["org_id"]), "name": me["organization"]}, "begun_at": export.cell(now),
             "sandbox": me["books"] == "sandbox", "note": NOTE}  # fmt: skip
    return export.download(
        f"organization-{now:%Y-%m-%d}.zip", "application/zip", organization_export.parts(tables, about)
    )


def _page(name: str, error: ApiError | None = None, **words: Any) -> str:
    return render_template(f"organization/{name}.html", error=error, **words)


@bp.get("/settings/hand-over")
@login_required
def ask_hand_over(error: ApiError | None = None) -> str:
    """Ask to whom."""
    auth.admins_only()
    with auth.person() as tx:
        members = tx.rows("member_overview")
    me = auth.me() or {}
    return _page("hand_over", error, others=[row for row in members if row["user_id"] != me["user_id"]])


@bp.post("/settings/hand-over")
@login_required
def hand_over() -> Response | tuple[str, int]:
    """Make another member an admin and oneself a developer."""

    def give(tx: Any) -> Any:
        try:
            return tx.call("organization_hand_over", UUID(request.form.get("member", "")))
        except ValueError:
            raise ApiError(400, "invalid_id", "choose a member", "member") from None

    made, error = attempt(give)
    if made is None:
        return ask_hand_over(error), error.status if error else 500
    flash(f"{made['organization_hand_over']} is an admin now, and you are a developer.", "good")
    return redirect(url_for("team.index"), 303)


@bp.get("/settings/delete")
@login_required
def ask_delete(error: ApiError | None = None) -> str:
    """Ask for the name of the organization."""
    auth.admins_only()
    return _page("delete", error)


@bp.post("/settings/delete")
@login_required
def delete() -> Response | tuple[str, int]:
    """Ask for the deletion of the organization, seven days from now."""
    _, error = attempt(lambda tx: tx.call("organization_delete", request.form.get("name", "")))
    if error:
        return ask_delete(error), error.status
    return redirect(url_for("settings.index"), 303)


@bp.post("/settings/keep")
@login_required
def keep() -> Response:
    """Take the deletion back."""
    with auth.person() as tx:
        tx.call("organization_keep")
    flash("The organization stays.", "good")
    return redirect(url_for("settings.index"), 303)
