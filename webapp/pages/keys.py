"""Keys: the list, one key with its generations; made, shown once, changed, rotated, revoked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from psycopg.types.json import Jsonb
from werkzeug.wrappers import Response

from webapp import auth, db, filters
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.clients import filled
from webapp.pages.common import attempt, found, organization_zone
from webapp.pages.listing import Listing, read_listing
from webapp.pages.picks import Pick, picks
from webapp.pages.scope import asked
from webapp.periods import midnight
from webapp.secrets.proxy_keys import NewKey, new_key

bp = Blueprint("keys", __name__)
COLUMNS = {"created_at": True, "name": False, "project": False, "created_by": False, "last_used_at": True,
           "calls": True, "cost": True, "change": True}  # fmt: skip
EXPORTED = ("id", "name", "prefix", "note", "project_id", "project", "created_at", "created_by", "expires_at",
            "revoked_at", "rotated_from", "last_used_at", "state", "calls", "unknown_calls", "cost", "cost_before",
            "unknown_before", "change", "refused_today")  # fmt: skip
FILTERS = ("project", "person", "state", "used", "key")
STATES = {"active": "Active", "expired": "Expired", "revoked": "Revoked", "archived": "Project archived"}
USES = {"no": "Without a call in this period"}
OVERLAPS = ((0, "now"), (3600, "in 1 hour"), (86400, "in 24 hours"), (604800, "in 7 days"), (2592000, "in 30 days"))
INSTANT = timedelta(microseconds=1)  # a key that ends at midnight worked until the instant before, so on the day before


def new_key_form(**typed: str) -> dict[str, str]:
    """Values of an empty form for a new key. form_id becomes the key's id: a form sent twice makes one key."""
    return {"form_id": str(uuid4()), "project": "", "name": "", "expires": ""} | typed


def rows_of(tx: db.Transaction, listing: Listing, offset: int, limit: int | None, **only: str) -> list[dict[str, Any]]:
    """Keys of a listing with their spend. only: filters that the page sets itself, such as its project."""
    given = listing.filters | {name: [word] for name, word in only.items()}
    return tx.rows("key_page", *listing.periods, Jsonb(given), listing.search, listing.order, offset, limit)


def _one(tx: db.Transaction, key_id: UUID) -> dict[str, Any]:
    return found(tx.call("key_show", key_id), "key")


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ApiError(400, "invalid_id", f"choose a {what}", what) from None


def _last_day(expires_at: datetime | None) -> str:
    """The last day on which a key works, in the organization's zone; empty for a key that never expires."""
    if expires_at is None:
        return ""
    return (expires_at - INSTANT).astimezone(organization_zone()).date().isoformat()


def _expiry(text: str) -> datetime | None:
    """The end, in the organization's zone, of the day that was typed; None for an empty field. ApiError 400."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ApiError(400, "invalid_date", "a date is written 2026-01-31", "expires_at") from None
    if day == date.max:  # the day after it cannot be computed; SQL refuses any such year and says what to do instead
        return datetime.max.replace(tzinfo=UTC)
    return midnight(day + timedelta(days=1), organization_zone())


def _offered(tx: db.Transaction, listing: Listing) -> tuple[dict[str, Pick], list[dict[str, Any]]]:
    """The filters of the list, and the projects that a key can be made for."""
    projects = tx.query("select id, name, archived_at from public.projects order by lower(name), id")
    people = tx.query("select user_id, email from public.members order by email")
    groups = {
        "project": [("", [(str(row["id"]), row["name"]) for row in projects])],
        "state": [("", list(STATES.items()))],
        "person": [("", [(str(row["user_id"]), row["email"]) for row in people])],
        "used": [("", list(USES.items()))],
    }
    shown = picks(listing.filters, groups, {}, list(groups), may_exclude=False)
    return shown, [row for row in projects if row["archived_at"] is None]


@bp.get("/keys")
@login_required
def index(error: ApiError | None = None, form: dict[str, str] | None = None) -> str:
    """A page of the keys."""
    listing = read_listing(COLUMNS, FILTERS)
    with auth.person() as tx:
        keys = rows_of(tx, listing, *listing.place)
        shown, projects = _offered(tx, listing)
    chosen = listing.filters.get("project", [])
    return render_template(
        "keys.html",
        keys=keys,
        pages=listing.pages(keys[0]["all_keys"] if keys else 0),
        picks=shown,
        projects=projects,
        error=error,
        new_key=form or new_key_form(project=chosen[0] if len(chosen) == 1 else ""),
        listing=listing,
        scope=listing.period,
    )


@bp.get("/keys.csv")
@bp.get("/keys.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """All keys of the same query string, as a file."""
    listing = read_listing(COLUMNS, FILTERS)
    with auth.person() as tx:
        rows = rows_of(tx, listing, 0, None)
        shown, _ = _offered(tx, listing)
    about = [("Period", listing.period.days), *listing.facts(shown.values())]
    return export.period_answer("keys", EXPORTED, rows, listing.period.query, about)


@bp.get("/keys/<uuid:key_id>")
@login_required
def show(key_id: UUID, error: ApiError | None = None, form: dict[str, str] | None = None) -> str:
    """One key: what it cost, its generations, and what may be changed."""
    listing = read_listing(COLUMNS)
    with auth.person() as tx:
        key = _one(tx, key_id)
        generations = tx.rows("key_generations", key_id, *listing.periods)
    last_day = _last_day(key["expires_at"])
    return render_template(
        "key.html",
        key=key,
        generations=generations,
        listing=listing,
        scope=listing.period,
        instant=INSTANT,
        error=error,
        form=form or {"name": key["name"], "note": key["note"] or "", "expires": last_day},
    )


@bp.post("/keys/<uuid:key_id>")
@login_required
def update(key_id: UUID) -> Response | tuple[str, int]:
    """Change a key's name, note or expiry; a field that is not in the form, or as it was, stays."""
    form = {name: request.form.get(name) for name in ("name", "note", "expires")}

    def change(tx: db.Transaction) -> dict[str, Any] | None:
        expires: datetime | str | None = None
        if form["expires"] is not None and form["expires"] != _last_day(_one(tx, key_id)["expires_at"]):
            expires = _expiry(form["expires"]) or "infinity"
        return tx.call("key_update", key_id, form["name"], form["note"], expires)

    _, error = attempt(change)
    if error:
        return show(key_id, error, {name: word or "" for name, word in form.items()}), error.status
    flash("Key changed.", "good")
    return redirect(url_for(".show", key_id=key_id) + asked())


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
    auth.admins_only()
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
    auth.admins_only()
    with auth.person() as tx:
        key = _one(tx, key_id)
    return render_template(
        "confirm.html",
        title=f"Revoke {key['name']}?",
        text=f"{key['prefix']}… of project {key['project']} is refused from the next call on. This cannot be undone.",
        action="Revoke key",
        back=url_for(".show", key_id=key_id) + asked(),
    )


@bp.post("/keys/<uuid:key_id>/revoke")
@login_required
def revoke(key_id: UUID) -> Response:
    """Revoke a key."""
    with auth.person() as tx:
        tx.call("key_revoke", key_id)
    flash("Key revoked. It is refused from now on.", "good")
    return redirect(url_for(".show", key_id=key_id) + asked())
