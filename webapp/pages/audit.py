"""The audit log: who changed what, for admins."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, url_for
from markupsafe import Markup

from webapp import auth, cursors, db
from webapp.auth import login_required
from webapp.pages import export
from webapp.pages.wrong import read_cursor
from webapp.written import exact, month

bp = Blueprint("audit", __name__)
PAGE = 50
COLUMNS = ("at", "actor_email", "action", "subject_id", "details", "id")
ACTIONS = {
    "project.created": "created project {name}",
    "project.renamed": "renamed project {from} to {to}",
    "project.archived": "archived project {name}",
    "project.metadata_on": "switched tags from metadata on for project {name}",
    "project.metadata_off": "switched tags from metadata off for project {name}",
    "project.restored": "restored project {name}",
    "key.created": "created key {name} {prefix}…",
    "key.renamed": "renamed key {from} to {to} {prefix}…",
    "key.noted": "changed the note of key {name} {prefix}…",
    "key.expiry_changed": "set the expiry of key {name} {prefix}… to {to} UTC",
    "key.expiry_removed": "removed the expiry of key {name} {prefix}…",
    "key.rotated": "rotated key {name} {prefix}…",
    "key.revoked": "revoked key {name} {prefix}…",
    "member.joined": "joined as {role}",
    "member.left": "left",
    "member.removed": "removed {email}",
    "member.role_changed": "made {email} {to} (was {from})",
    "member.email_changed": "changed their e-mail address from {from} to {to}",
    "member.account_deleted": "deleted their account {email}",
    "member.account_removed": "deleted the account {email}",
    "invitation.created": "invited {email} as {role}",
    "invitation.revoked": "revoked the invitation of {email}",
    "organization.exported": "exported everything of the organization",
    "organization.handed_over": "handed the organization over to {email}",
    "organization.deletion_asked": "asked to delete the organization after {deletes_at}",
    "organization.deletion_undone": "took the deletion of the organization back",
    "organization.renamed": "renamed the organization to {name}",
    "organization.time_zone_set": "set the time zone to {to} (was {from})",
    "provider_key.set": "stored the OpenAI key ending in {last4}",
    "provider_key.deleted": "deleted the OpenAI key ending in {last4}",
    "admin_key.set": "stored the OpenAI admin key ending in {last4}",
    "admin_key.deleted": "deleted the OpenAI admin key ending in {last4}",
    "key_link.set": "linked the OpenAI key ending in {last4} with OpenAI's {openai_key_id}",
    "key_link.ended": "undid the link of the OpenAI key ending in {last4} with OpenAI's {openai_key_id}",
    "line_alias.set": "compares OpenAI's line {line_item} with {means}",
    "line_alias.deleted": "no longer compares OpenAI's line {line_item} with {means}",
    "price.added": "added a price for {model}",
    "prices.synced": "added {added} list prices from {source} (sync {run})",
    "prices.undone": "undid sync {run} of list prices",
    "analyst.created": "made the SQL login {login} for {name}",
    "analyst.removed": "removed the SQL login {login} of {name}",
    "calls.repriced": "priced calls again: {reason}",
    "calls.dropped": "dropped the {calls} calls of {month}: {reason}",
    "totals.rebuilt": "added up the {calls} calls of {day} again ({cost}, was {cost_before}): {reason}",
    "call.closed": "closed a call by hand: {reason}",
    "call.proven": "closed a call at {cost} with OpenAI's minute {minute}",
    "month.closed": "closed {month} at {openai} of OpenAI's, {unexplained} of it unexplained: {note}",
    "month.reopened": "reopened {month}: {note}",
}


def _dollars(text: str) -> str:
    return exact(Decimal(text))


def _month(text: str) -> str:
    return month(date.fromisoformat(f"{text}-01"))


# Details that are written in another way than the log has them.
WRITTEN = {"cost": _dollars, "cost_before": _dollars, "openai": _dollars, "unexplained": _dollars, "month": _month}


class _Known(dict[str, Any]):
    """Details of a line as HTML, for str.format_map: amounts and months in words, a missing one as a dash.

    Each is put into <bdi>, so that a right-to-left name does not change the order of the words around it.
    """

    def __getitem__(self, name: str) -> Markup:
        known = self.get(name)
        if name in WRITTEN and known is not None:
            known = WRITTEN[name](known)
        return Markup("<bdi>{}</bdi>").format("–" if known in (None, "") else known)


def sentence(row: dict[str, Any]) -> str:
    """What was done, as a sentence; an action that ACTIONS lacks is shown by its name."""
    words = ACTIONS.get(row["action"])
    if words is None:
        return row["action"].replace(".", " ").replace("_", " ")
    return Markup(words).format_map(_Known(row["details"]))  # noqa: S704  # a constant; the inserted details are escaped


@bp.get("/audit")
@login_required
def index() -> str:
    """The newest lines, or those before a cursor."""
    auth.admins_only()
    before = read_cursor(cursors.moment, UUID)
    with auth.person() as tx:
        rows = tx.rows("audit_page", *before, PAGE + 1)
    following = cursors.write(rows[PAGE - 1]["at"], rows[PAGE - 1]["id"]) if len(rows) > PAGE else None
    more = url_for(".index", cursor=following) if following else None
    return render_template("audit.html", rows=rows[:PAGE], more=more, paged=bool(before[0]), sentence=sentence)


@bp.get("/audit.csv")
@bp.get("/audit.xlsx", endpoint="workbook")
@login_required
def table() -> Response:
    """The whole log as a file."""
    auth.admins_only()

    def fetch(tx: db.Transaction, last: export.Row | None, count: int) -> list[export.Row]:
        return tx.rows("audit_page", last and last["at"], last and last["id"], count)

    rows = (row | {"details": json.dumps(row["details"], default=str)} for row in export.paged(fetch))
    return export.answer("audit", COLUMNS, rows)
