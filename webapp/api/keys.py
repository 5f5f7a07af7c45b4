"""/projects/{id}/keys and /keys: proxy keys, shown once when they are made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from webapp import auth
from webapp.api.blueprint import bp
from webapp.api.inputs import fields
from webapp.api.shape import listed, plain
from webapp.errors import ApiError
from webapp.secrets.proxy_keys import new_key

OVERLAP = 86400  # seconds


@bp.get("/projects/<uuid:project_id>/keys")
def keys(project_id: UUID) -> dict[str, Any]:
    with auth.person() as tx:
        if not tx.query("select from public.projects where id = %s", project_id):
            raise ApiError(404, "project_not_found", "no such project")
        return listed(tx.rows("key_list", project_id))


@bp.post("/projects/<uuid:project_id>/keys")
def create_key(project_id: UUID) -> tuple[dict[str, Any], int]:
    body, key = fields("NewKey"), new_key()
    name, expires_at = body.text("name"), body.moment("expires_at")
    with auth.person() as tx:
        made = tx.call("key_create", project_id, key.id, name, key.prefix, key.hash, expires_at)
    return plain(made) | {"key": key.key}, 201


@bp.post("/keys/<uuid:key_id>/rotate")
def rotate_key(key_id: UUID) -> tuple[dict[str, Any], int]:
    overlap, key = fields("Rotation", optional=True).whole("overlap_seconds", OVERLAP), new_key()
    with auth.person() as tx:
        made = tx.call("key_rotate", key_id, key.id, key.prefix, key.hash, overlap)
    return plain(made) | {"rotated_from": str(key_id), "key": key.key}, 201


@bp.patch("/keys/<uuid:key_id>")
def change_key(key_id: UUID) -> dict[str, Any]:
    body = fields("KeyChange")
    name, note = body.text("name", needed=False), body.text("note", needed=False)
    if "note" in body.values and note is None:
        note = ""  # null: the key has no note any more
    expires_at = "infinity" if body.values.get("expires_at", "") is None else body.moment("expires_at")
    with auth.person() as tx:
        return plain(tx.call("key_update", key_id, name, note, expires_at))


@bp.delete("/keys/<uuid:key_id>")
def revoke_key(key_id: UUID) -> tuple[str, int]:
    with auth.person() as tx:
        tx.call("key_revoke", key_id)
    return "", 204
