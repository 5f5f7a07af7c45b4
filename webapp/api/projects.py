"""/projects: applications, each with keys and spend of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from webapp import auth
from webapp.api.blueprint import bp
from webapp.api.inputs import fields
from webapp.api.shape import listed, plain

PROJECTS = "select id, name, created_at, archived_at, metadata_tags from public.projects order by created_at, id"


@bp.get("/projects")
def projects() -> dict[str, Any]:
    with auth.person() as tx:
        return listed(tx.query(PROJECTS))


@bp.post("/projects")
def create_project() -> tuple[dict[str, Any], int]:
    name = fields("NewProject").text("name")
    with auth.person() as tx:
        return plain(tx.call("project_create", name)), 201


@bp.patch("/projects/<uuid:project_id>")
def change_project(project_id: UUID) -> dict[str, Any]:
    body = fields("ProjectChange")
    with auth.person() as tx:
        changes = body.text("name", needed=False), body.flag("archived"), body.flag("metadata_tags")
        return plain(tx.call("project_update", project_id, *changes))
