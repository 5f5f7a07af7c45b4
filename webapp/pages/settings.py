"""Settings: the organization's name and time zone, and its OpenAI keys, which can be stored but not read."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required
from webapp.auth.csrf import came_from
from webapp.books.access import store as store_admin
from webapp.books.access import tried
from webapp.errors import ApiError
from webapp.filters import zones
from webapp.pages.common import attempt
from webapp.secrets.provider_keys import ProviderKey, store

bp = Blueprint("settings", __name__)
THEMES = ("light", "dark")
YEAR = 31_536_000


def page(error: ApiError | None = None, name: str | None = None, zone: str | None = None) -> str:
    """The settings page; error, name, zone: of a refused form."""
    with auth.person() as tx:
        keys, versions = tx.rows("provider_key_list"), tx.rows("provider_key_history")
        admin_key = tx.call("admin_key_show")
    own = next((key for key in keys if key["project_id"] is None), None)
    me = auth.me() or {}
    name = me["organization"] if name is None else name
    supabase_url = current_app.config["SPENDAI"].supabase_url
    words = {"own": own, "versions": versions, "error": error, "name": name, "supabase_url": supabase_url}
    words |= {"admin_key": admin_key, "zones": zones()}
    words["time_zone"] = me.get("time_zone", "UTC") if zone is None else zone
    return render_template("settings.html", **words)


@bp.get("/settings")
@login_required
def index() -> str:
    """Organization and OpenAI key."""
    return page()


@bp.post("/settings")
@login_required
def rename() -> Response | tuple[str, int]:
    """Rename the organization."""
    name = request.form.get("name", "")
    _, error = attempt(lambda tx: tx.call("organization_rename", name))
    if error:
        return page(error, name), error.status
    flash("Organization renamed.", "good")
    return redirect(url_for(".index"))


@bp.post("/settings/time-zone")
@login_required
def set_time_zone() -> Response | tuple[str, int]:
    """Set the time zone in which pages show periods and days."""
    zone = request.form.get("time_zone", "").strip()
    # A zone that only Postgres knows could not be shown.
    _, error = attempt(lambda tx: tx.call("organization_set_time_zone", zone if zone in zones() else None))
    if error:
        return page(error, zone=zone), error.status
    flash(f"Days and times of Spend and Calls are {zone} from now on.", "good")
    return redirect(url_for(".index"))


@bp.post("/settings/provider-key")
@login_required
def store_key() -> Response | tuple[str, int]:
    """Store the OpenAI key encrypted; keeps a base URL that was set.

    A key that another organization uses is refused at first; the form then has a box to confirm it. The key must be
    entered again, because no page ever holds it.
    """
    config, key = current_app.config["SPENDAI"], request.form.get("key", "")
    confirmed = request.form.get("confirm_shared") == "yes"

    def keep(tx: db.Transaction) -> None:
        base_url = next((k["base_url"] for k in tx.rows("provider_key_list") if k["project_id"] is None), None)
        store(tx, config, ProviderKey(key, base_url, confirmed=confirmed))

    _, error = attempt(keep)
    if error:
        return page(error), error.status
    flash("OpenAI key stored. From now on calls go to OpenAI and cost real money.", "good")
    return redirect(url_for(".index"))


@bp.get("/settings/provider-key/delete")
@login_required
def ask_delete_key() -> str:
    """Ask before the key is deleted."""
    auth.admins_only()
    return render_template(
        "confirm.html",
        title="Delete the OpenAI key?",
        text="Calls are refused until another key is stored, unless this install has one of its own. The numbers stay."
        " The key itself lives on at OpenAI.",
        action="Delete key",
        back=url_for(".index"),
    )


@bp.post("/settings/provider-key/delete")
@login_required
def delete_key() -> Response:
    """Delete the key."""
    with auth.person() as tx:
        tx.call("provider_key_delete", None)
    flash("OpenAI key deleted.", "good")
    return redirect(url_for(".index"))


@bp.post("/settings/admin-key")
@login_required
def store_admin_key() -> Response | tuple[str, int]:
    """Try an OpenAI admin key with OpenAI and store it encrypted; keeps a base URL that was set."""
    auth.admins_only()
    config = current_app.config["SPENDAI"]
    with auth.person() as tx:
        base_url = (tx.call("admin_key_show") or {}).get("base_url")
    try:
        new = tried(config, request.form.get("admin_key", ""), base_url)
    except ApiError as error:
        error.param = "admin_key" if error.param == "key" else None
        return page(error), error.status
    _, error = attempt(lambda tx: store_admin(tx, config, new))
    if error:
        return page(error), error.status
    flash("OpenAI admin key stored.", "good")
    return redirect(url_for(".index"))


@bp.get("/settings/admin-key/delete")
@login_required
def ask_delete_admin_key() -> str:
    """Ask before the admin key is deleted."""
    auth.admins_only()
    return render_template(
        "confirm.html",
        title="Delete the OpenAI admin key?",
        text="OpenAI's books are no longer fetched. What was fetched stays. The key itself lives on at OpenAI.",
        action="Delete admin key",
        back=url_for(".index"),
    )


@bp.post("/settings/admin-key/delete")
@login_required
def delete_admin_key() -> Response:
    """Delete the admin key."""
    with auth.person() as tx:
        tx.call("admin_key_delete")
    flash("OpenAI admin key deleted.", "good")
    return redirect(url_for(".index"))


@bp.post("/theme")
@login_required
def theme() -> Response:
    """Choose light, dark or the system's theme; a cookie, so that pages are rendered with it from the start."""
    answer = redirect(came_from())
    chosen = request.form.get("theme")
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax")
    else:
        answer.delete_cookie("theme", samesite="Lax")
    return answer
