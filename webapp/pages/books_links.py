"""Which key of OpenAI's list each provider key is, and which line of the ledger each line of OpenAI's bill is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import auth, db
from webapp.auth import login_required
from webapp.errors import ApiError
from webapp.pages.common import attempt

bp = Blueprint("books_links", __name__)
KEYS = """
    select k.id, k.name, k.ending, coalesce(p.name, k.openai_project_id) as project, k.owner, k.last_used_at
    from public.openai_keys k left join public.openai_projects p on p.org_id = k.org_id and p.id = k.openai_project_id
    order by lower(k.name), k.id
"""
ALIASES = "select id, org_id is not null as own, line_item, means from public.line_aliases order by own desc, line_item"
# Lines that only one side has, of the newest 60 days: what a new alias would join.
LONELY = """
    select distinct line, reason = 'missing_at_openai' as ours from public.reconciliation_lines
    where reason in ('unknown_line', 'missing_at_openai') and day >= (select max(day) - 60 from public.reconciled_days)
    order by 1 limit 200
"""
AGAIN = "The days are compared again when they are shown."
Answer = Response | tuple[str, int]


def page(error: ApiError | None = None) -> str:
    """The page; error, and what was typed: of a refused form."""
    with auth.person() as tx:
        links, candidates, keys = tx.rows("books_links"), tx.rows("key_link_candidates"), tx.query(KEYS)
        aliases, lonely = tx.query(ALIASES), tx.query(LONELY)
    typed = {name: request.form.get(name, "") for name in ("line_item", "means")}
    fits: dict[UUID, list[str]] = {}
    for row in candidates:
        fits.setdefault(row["version_id"], []).append(row["openai_key_id"])
    words = {
        "links": links,
        "fits": fits,
        "keys": {key["id"]: key for key in keys},
        "aliases": aliases,
        "lonely": lonely,
    }
    return render_template("books_links.html", error=error, typed=typed, **words)


def _changed(change: Callable[[db.Transaction], Any], words: str) -> Answer:
    """Run a change; back to the page with words, or the page with what was refused."""
    _, error = attempt(change)
    if error:
        return page(error), error.status
    flash(words, "good")
    return redirect(url_for(".index"), 303)


@bp.get("/books/links")
@login_required
def index() -> str:
    """Links of keys and names of lines."""
    return page()


@bp.post("/books/links")
@login_required
def link() -> Answer:
    """Link a provider key with a key of OpenAI's list."""
    words = _as_id(request.form.get("version_id", "")), request.form.get("openai_key_id", "")
    return _changed(lambda tx: tx.call("key_link_set", *words), f"Linked. {AGAIN}")


@bp.post("/books/links/<uuid:link_id>/end")
@login_required
def unlink(link_id: UUID) -> Answer:
    """Undo a link."""
    done = "Link undone. What OpenAI billed for the key now counts as spent past SpendAI."
    return _changed(lambda tx: tx.call("key_link_end", link_id), done)


@bp.post("/books/aliases")
@login_required
def set_alias() -> Answer:
    """Say which line of the ledger a line of OpenAI's bill is."""
    line, means = (request.form.get(name, "") for name in ("line_item", "means"))
    return _changed(lambda tx: tx.call("line_alias_set", line, means), f"Kept. {AGAIN}")


@bp.post("/books/aliases/<uuid:alias_id>/delete")
@login_required
def delete_alias(alias_id: UUID) -> Answer:
    """Delete a name of a line."""
    return _changed(lambda tx: tx.call("line_alias_delete", alias_id), "Deleted.")


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
