"""Reads the projects and keys of an OpenAI account: names, owners, and the visible end of each key."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from webapp.books.administration import Administration
from webapp.books.values import BooksError, moment, name

SHOWN = 4  # characters of a key


def fetch_accounts(api: Administration) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Projects, also archived ones, and all their keys, as app.books_store takes them."""
    projects = [_project(row) for row in api.rows("projects", [("include_archived", "true")])]
    keys = [key for project in projects for key in _keys(api, project)]
    return _once(projects), _once(keys)


def _keys(api: Administration, project: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"projects/{quote(project['id'], safe='')}/api_keys"
    try:
        return [_key(row, project["id"]) for row in api.rows(path, [("owner_project_access", "any")])]
    except BooksError as error:
        if error.status == 404 and project["status"] == "archived":
            return []
        raise


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each id once, as it came last: a list may change between two of its pages."""
    return list({row["id"]: row for row in rows}.values())


def _project(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name(row.get("id"), "a project's id", needed=True),
        "name": name(row.get("name"), "a project's name"),
        "status": name(row.get("status"), "a project's status"),
        "created_at": moment(row.get("created_at"), "a project's beginning"),
        "archived_at": moment(row.get("archived_at"), "a project's end"),
    }


def _key(row: dict[str, Any], project: str) -> dict[str, Any]:
    kind, owner = _owner(row.get("owner"))
    return {
        "id": name(row.get("id"), "a key's id", needed=True),
        "openai_project_id": project,
        "name": name(row.get("name"), "a key's name"),
        "ending": ending(row.get("redacted_value")),
        "owner_kind": kind,
        "owner": owner,
        "created_at": moment(row.get("created_at"), "a key's beginning"),
        "last_used_at": moment(row.get("last_used_at"), "a key's last use"),
    }


def ending(redacted: Any) -> str:
    """What follows the mask of a redacted key, at most its last four characters: sk-proj-****excA → excA."""
    tail = re.search(r"[\w-]*$", redacted if isinstance(redacted, str) else "", re.ASCII)
    return tail[0][-SHOWN:] if tail else ""


def _owner(owner: Any) -> tuple[str | None, str | None]:
    """Kind and name of a key's owner; the e-mail address of an owner without a name."""
    if not isinstance(owner, dict):
        return None, None
    kind = name(owner.get("type"), "the kind of an owner")
    who = owner.get(kind) if kind else None
    if not isinstance(who, dict):
        return kind, None
    return kind, name(who.get("name"), "an owner's name") or name(who.get("email"), "an owner's address")
