"""/provider-key: the OpenAI key of the organization or of a project; it can be stored, but not read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, request

from webapp import auth
from webapp.api.blueprint import bp
from webapp.api.inputs import Fields, as_id, fields
from webapp.api.shape import listed, plain
from webapp.errors import ApiError
from webapp.secrets import provider_keys


@bp.get("/provider-key")
def provider_key() -> dict[str, Any]:
    project_id = _project_id(Fields({}))
    with auth.person() as tx:
        for row in tx.rows("provider_key_list"):
            if row["project_id"] == project_id:
                return plain(row)
    raise ApiError(404, "provider_key_not_found", "no OpenAI key is stored")


@bp.get("/provider-key/versions")
def provider_key_versions() -> dict[str, Any]:
    """The history of keys, the latest first; a call names its version as provider_key_id."""
    with auth.person() as tx:
        return listed(tx.rows("provider_key_history"))


@bp.put("/provider-key")
def set_provider_key() -> dict[str, Any]:
    body = fields("NewProviderKey")
    key, base_url = body.text("key"), body.text("base_url", needed=False)
    new = provider_keys.ProviderKey(key, base_url, _project_id(body), confirmed=bool(body.flag("confirm_shared")))
    with auth.person() as tx:
        return plain(provider_keys.store(tx, current_app.config["SPENDAI"], new))


@bp.delete("/provider-key")
def delete_provider_key() -> tuple[str, int]:
    project_id = _project_id(fields("WhichProviderKey", optional=True))
    with auth.person() as tx:
        tx.call("provider_key_delete", project_id)
    return "", 204


def _project_id(body: Fields) -> UUID | None:
    """The project whose key is meant, from body or query string; None, the organization, only if neither names one.

    An empty id is refused as a malformed one is: it may be a variable that a script left unset.
    """
    found = body.text("project_id", needed=False)
    return as_id(request.args.get("project_id") if found is None else found)
