"""Keys: made, shown once, rotated, revoked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth, db, filters
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.clients import filled
from webapp.pages.common import admin_only, attempt, found
from webapp.pages.sorting import read_sorting
from webapp.secrets.proxy_keys import NewKey, new_key

bp = Blueprint("keys", __name__)
COLUMNS = {"created_at": True, "name": False, "project": False, "created_by": False, "last_used_at": True,
           "state": False, "cost": True}  # fmt: skip
EXPORTED = ("id", "name", "prefix", "project_id", "project", "created_at", "created_by", "expires_at", "revoked_at",
            "last_used_at", "state", "calls", "cost", "refused_today")  # fmt: skip
OVERLAPS = ((0, "now"), (3600, "in 1 hour"), (86400, "in 24 hours"), (604800, "in 7 days"), (2592000, "in 30 days"))


def new_key_form(**typed: str) -> dict[str, str]:
    """Values of an empty form for a new key. form_id becomes the key's id: a form sent twice makes one key."""
    return {"form_id": str(uuid4()), "project": "", "name": "", "expires": ""} | typed


def _one(tx: db.Transaction, key_id: UUID) -> dict[str, Any]:
    return found(tx.call("key_show", key_id), "key")


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ApiError(400, "invalid_id", f"choose a {what}", what) from None


def _expiry(text: str) -> datetime | None:
    """The end, in UTC, of the day that was typed; None for an empty field. ApiError 400."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ApiError(400, "invalid_date", "a date is written 2026-01-31", "expires_at") from None


@bp.get("/keys")
@login_required
def index(error: ApiError | None = None, form: dict[str, str] | None = None) -> str:
    """All keys."""
    sorting = read_sorting(COLUMNS)
    with auth.person() as tx:
        keys = sorting.sorted(tx.rows("key_overview", None))
        projects = tx.query("select id, name from public.projects where archived_at is null order by lower(name), id")
    chosen = request.args.get("project", "")
    return render_template(
        "keys.html",
        keys=keys,
        projects=projects,
        error=error,
        new_key=form or new_key_form(project=chosen),
        sorting=sorting,
    )


@bp.get("/keys.csv")
@bp.get("/keys.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The same table, as a file."""
    with auth.person() as tx:
        return export.answer("keys", EXPORTED, tx.rows("key_overview", None))


def shown_once(key: NewKey, row: dict[str, Any], project: str, old: str | None = None) -> str:
    """The only page that shows a key. old: prefix of the key that it replaces."""
    base_url = current_app.config["SPENDAI"].public_url + "/api/v1/proxy"
    with auth.person() as tx:
        first = tx.call("setup_state")["last_call_at"] is None
    words = {"key": key.key, "row": row, "project": project, "old": old, "first": first}
    return render_template("key_created.html", clients=filled(base_url, key.key), **words)


@bp.post("/keys")
@login_required
def create() -> str | tuple[str, int]:
    """Make a key and show it. Not a redirect: only its hash is stored, so no later page can show it."""
    form = {name: request.form.get(name, "") for name in ("form_id", "project", "name", "expires")}

    def make(tx: db.Transaction) -> tuple[NewKey, dict[str, Any], str]:
        project, expires = _id(form["project"], "project"), _expiry(form["expires"])
        key = new_key(_id(form["form_id"], "form_id"))
        row = found(tx.call("key_create", project, key.id, form["name"], key.prefix, key.hash, expires), "project")
        return key, row, tx.query("select name from public.projects where id = %s", project)[0]["name"]

    made, error = attempt(make)
    if error and error.code == "key_exists":  # the id of the form becomes the id of the key
        error = ApiError(
            409, error.code, "This form was sent already and its key made", hint="Rotate that key if you lost it"
        )
        form |= new_key_form()
    return shown_once(*made) if made else (index(error, form), error.status if error else 500)


@bp.get("/keys/<uuid:key_id>/rotate")
@login_required
def ask_rotate(key_id: UUID, error: ApiError | None = None) -> str:
    """Ask how long the old key goes on working."""
    admin_only()
    with auth.person() as tx:
        key = _one(tx, key_id)
    return render_template("key_rotate.html", key=key, overlaps=OVERLAPS, error=error)


@bp.post("/keys/<uuid:key_id>/rotate")
@login_required
def rotate(key_id: UUID) -> str | tuple[str, int]:
    """Replace a key by a new one and show that."""
    seconds = filters.whole(request.form.get("overlap_seconds", ""), 0, 2**31 - 1)
    key = new_key()

    def replace(tx: db.Transaction) -> tuple[dict[str, Any], dict[str, Any]]:
        overlap = -1 if seconds is None else seconds  # SQL refuses -1 and says what is allowed
        row = found(tx.call("key_rotate", key_id, key.id, key.prefix, key.hash, overlap), "key")
        return row, _one(tx, key_id)

    made, error = attempt(replace)
    if made is None:
        return ask_rotate(key_id, error), error.status if error else 500
    return shown_once(key, made[0], made[1]["project"], made[1]["prefix"])


@bp.get("/keys/<uuid:key_id>/revoke")
@login_required
def ask_revoke(key_id: UUID) -> str:
    """Ask before a key is revoked."""
    admin_only()
    with auth.person() as tx:
        key = _one(tx, key_id)
    return render_template(
        "confirm.html",
        title=f"Revoke {key['name']}?",
        text=f"{key['prefix']}… of project {key['project']} is refused from the next call on. This cannot be undone.",
        action="Revoke key",
        back=url_for(".index"),
        values={},
    )


@bp.post("/keys/<uuid:key_id>/revoke")
@login_required
def revoke(key_id: UUID) -> Response:
    """Revoke a key."""
    with auth.person() as tx:
        tx.call("key_revoke", key_id)
    flash("Key revoked. It is refused from now on.", "good")
    return redirect(url_for(".index"))
