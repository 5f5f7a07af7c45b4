"""Projects: the list, one project with its spend and keys, and changes to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from psycopg.types.json import Jsonb
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages import export
from webapp.pages.common import attempt, found, read_scope
from webapp.pages.keys import new_key_form
from webapp.pages.listing import unfiltered
from webapp.pages.report import by_project, kept, report
from webapp.pages.scope import Scope, asked
from webapp.pages.sorting import read_sorting
from webapp.pages.spend_export import facts

bp = Blueprint("projects", __name__)
COLUMNS = {"cost": True, "name": False, "active_keys": True, "calls": True, "created_at": True}
KEYS = 20  # of a project that its page lists; the Keys page has all of them
EXPORTED = ("id", *COLUMNS, "archived_at", "unknown_calls", "cost_before", "unknown_before", "change")
# Of a project without calls, now or before.
NOTHING = {
    "calls": 0, "unknown_calls": 0, "cost": Decimal(0), "before": Decimal(0), "unknown_before": 0,
    "difference": Decimal(0), "ratio": None, "share": None,
}  # fmt: skip


def one(tx: db.Transaction, project_id: UUID) -> dict[str, Any]:
    """The project; ApiError 404 when the organization does not have it."""
    rows = tx.query(
        "select id, name, created_at, archived_at, metadata_tags from public.projects where id = %s", project_id
    )
    return found(rows[0] if rows else None, "project")


def page(project_id: UUID, error: ApiError | None = None, typed: str = "") -> str:
    """A project's page; error and typed: a refused new name."""
    with auth.person() as tx:
        project = one(tx, project_id)
        scope = read_scope(tx, kept(), project=str(project_id))
        shown = report(tx, scope, "key")
        keys = tx.rows("key_page", *scope.query.periods, Jsonb({"project": [str(project_id)]}), "", "", 0, KEYS)
        used = []  # when its keys were last used: for a page without calls, which says when there were some
        if not shown["totals"]["calls"]:
            used = [key["last_used_at"] for key in tx.rows("key_list", project_id) if key["last_used_at"]]
    form = {
        "error": error,
        "name": typed or project["name"],
        "new_key": new_key_form(),
        "period": unfiltered(scope.query),
    }
    return render_template(
        "project.html",
        project=project,
        keys=keys,
        r=shown,
        last_call=max(used, default=None),
        **form,
        **shown,
    )


def overview(tx: db.Transaction, scope: Scope) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All projects with their sums in the period, the dearest first and archived ones last; and the sums of all."""
    rows, total = by_project(tx, scope)
    nothing = NOTHING if total["before"] is not None else NOTHING | {"before": None, "difference": None}
    sums = {key: {name: row[name] for name in NOTHING} for key, row in rows.items()}
    projects = [project | nothing | sums.get(str(project["id"]), {}) for project in tx.rows("project_overview")]
    projects.sort(
        key=lambda project: (project["archived_at"] is not None, -project["cost"], project["name"].casefold())
    )
    return projects, total


@bp.get("/projects")
@login_required
def index(error: ApiError | None = None, typed: str = "") -> str:
    """All projects, with what they cost in a period."""
    with auth.person() as tx:
        scope = read_scope(tx, choices=False)
        projects, total = overview(tx, scope)
    sorting = read_sorting(COLUMNS | {"difference": True}, lambda word: scope.link(sort=word))
    return render_template(
        "projects.html", projects=sorting.sorted(projects), total=total, scope=scope, error=error, typed=typed,
        sorting=sorting,
    )  # fmt: skip


@bp.get("/projects.csv")
@bp.get("/projects.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """All projects of the same query string, as a file."""
    with auth.person() as tx:
        scope = read_scope(tx, choices=False)
        projects, _ = overview(tx, scope)
    rows = [project | {"cost_before": project["before"], "change": project["difference"]} for project in projects]
    return export.period_answer("projects", EXPORTED, rows, scope.query, facts())


@bp.post("/projects")
@login_required
def create() -> Response | tuple[str, int]:
    """Create a project, then show its page; with ``next=start`` in the form, the first steps again."""
    name = request.form.get("name", "")
    project, error = attempt(lambda tx: tx.call("project_create", name))
    if error or project is None:
        return index(error, name), error.status if error else 500
    flash(f"Project “{project['name']}” created.", "good")
    return redirect(
        url_for("spend.index") if request.form.get("next") == "start" else url_for(".show", project_id=project["id"])
    )


@bp.get("/projects/<uuid:project_id>")
@login_required
def show(project_id: UUID) -> str:
    """Spend and keys of one project."""
    return page(project_id)


@bp.post("/projects/<uuid:project_id>")
@login_required
def rename(project_id: UUID) -> Response | tuple[str, int]:
    """Rename a project."""
    name = request.form.get("name", "")
    _, error = attempt(lambda tx: tx.call("project_update", project_id, name, None, None))
    if error:
        return page(project_id, error, name), error.status
    flash("Project renamed.", "good")
    return redirect(url_for(".show", project_id=project_id) + asked())


@bp.post("/projects/<uuid:project_id>/metadata")
@login_required
def metadata(project_id: UUID) -> Response | tuple[str, int]:
    """Switch on or off that metadata of the project's requests becomes tags."""
    wanted = request.form.get("metadata_tags") == "1"
    _, error = attempt(lambda tx: tx.call("project_update", project_id, None, None, wanted))
    if error:
        return page(project_id, error), error.status
    flash("Metadata becomes tags from the next call on." if wanted else "Metadata is not kept any more.", "good")
    return redirect(url_for(".show", project_id=project_id) + asked())


@bp.get("/projects/<uuid:project_id>/archive")
@login_required
def ask_archive(project_id: UUID) -> str:
    """Ask before a project is archived."""
    auth.admins_only()
    with auth.person() as tx:
        project = one(tx, project_id)
    return render_template(
        "confirm.html",
        title=f"Archive {project['name']}?",
        text="Its keys are refused from the next call on. Every number stays, and you can restore it at any time.",
        action="Archive project",
        back=url_for(".show", project_id=project_id) + asked(),
        values={"archived": "1"},
    )


@bp.post("/projects/<uuid:project_id>/archive")
@login_required
def archive(project_id: UUID) -> Response | tuple[str, int]:
    """Archive a project, or restore it."""
    archived = request.form.get("archived") == "1"
    _, error = attempt(lambda tx: tx.call("project_update", project_id, None, archived, None))
    if error:
        return page(project_id, error), error.status
    flash(
        "Project archived; its keys are refused now." if archived else "Project restored; its keys work again.", "good"
    )
    return redirect(url_for(".show", project_id=project_id) + asked())
