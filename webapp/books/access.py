"""The way to OpenAI's Administration API for an organization: its admin key, tried before it is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from webapp import db
from webapp.books.administration import ELSEWHERE, ELSEWHERE_BY_COMMAND, OPENAI, Administration
from webapp.books.values import BooksError, midnight
from webapp.config import Config
from webapp.errors import ADMINS_ONLY, ApiError
from webapp.gateway.region import is_openai
from webapp.secrets.admin_keys import check_admin_key, seal_admin_key, unseal_admin_key
from webapp.secrets.provider_keys import check_base_url
from webapp.secrets.vault import VaultError


class AdminKey(NamedTuple):
    """An admin key that OpenAI accepted. base_url: None for OPENAI_BASE_URL."""

    key: str
    base_url: str | None


def tried(config: Config, key: str, base_url: str | None = None) -> AdminKey:
    """Check the form of an admin key, then ask OpenAI for one day of costs, of usage, and for one project.

    Raises ApiError: 400 ``admin_key_invalid`` (form) or ``admin_key_refused`` (by OpenAI), 400 ``base_url_invalid``,
    502 ``openai_unavailable``. Must run outside of a transaction, since it waits for OpenAI.
    """
    known = AdminKey(check_admin_key(key), check_base_url(base_url, private=config.allow_private_base_urls))
    api = _administration(config, known, in_gateway=True)
    start = midnight((datetime.now(UTC) - timedelta(days=1)).date())
    try:
        for path in ("costs", "usage/completions"):
            api.get(path, [("start_time", start), ("limit", 1)])
        api.get("projects", [("limit", 1)])
    except BooksError as error:
        if error.refused:
            raise ApiError(400, "admin_key_refused", str(error), "key", "Nothing was stored") from None
        raise ApiError(502, "openai_unavailable", str(error), hint="The admin key was not stored") from None
    return known


def store(tx: db.Transaction, config: Config, new: AdminKey) -> dict[str, Any] | None:
    """Encrypt and store a tried admin key for the organization of ``tx``; last4 and updated_at. Only for admins."""
    sealed = seal_admin_key(config, new.key, admins_organization(tx))
    return tx.call("admin_key_set", sealed, new.key[-4:], new.base_url)


def admins_organization(tx: db.Transaction) -> UUID:
    """The organization of the signed-in admin. ApiError 403 for everybody else."""
    row = tx.call("admin_org_id")
    if row is None or row["admin_org_id"] is None:
        raise ADMINS_ONLY.anew()
    return row["admin_org_id"]


def read_as_proxy(config: Config, org_id: UUID) -> dict[str, Any] | None:
    """The row of app.admin_key_read, by the gateway's role: the roles of pages and API cannot read it."""
    with psycopg.connect(db.dsn(config, "spendai_proxy"), prepare_threshold=None, row_factory=dict_row) as conn:
        return conn.execute("select * from app.admin_key_read(%s)", [org_id]).fetchone()


def opened(config: Config, org_id: UUID, row: dict[str, Any], *, in_gateway: bool) -> Administration:
    """The API with the stored key of an organization. BooksError if the key cannot be decrypted.

    in_gateway: it is asked in a process that answers other people meanwhile.
    """
    try:
        key = unseal_admin_key(config, bytes(row["ciphertext"]), org_id)
    except VaultError as error:
        raise BooksError(f"{error}: store the admin key again") from None
    return _administration(config, AdminKey(key, row["base_url"]), in_gateway=in_gateway)


def _administration(config: Config, known: AdminKey, *, in_gateway: bool) -> Administration:
    base_url = known.base_url or config.openai_base_url
    bounds = ELSEWHERE if in_gateway else ELSEWHERE_BY_COMMAND
    if base_url == config.openai_base_url or is_openai(base_url):
        bounds = OPENAI
    private = known.base_url is None or config.allow_private_base_urls
    return Administration(base_url, known.key, bounds, private=private)
