"""Whether the OpenAI keys in the database can be decrypted.

They cannot when they were encrypted with a key that SPENDAI_ENCRYPTION_KEYS lacks, or when they were changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import psycopg

from webapp.config import Config
from webapp.secrets.admin_keys import unseal_admin_key
from webapp.secrets.vault import VaultError, unseal

PROVIDER_KEYS = "select ciphertext, org_id, project_id from private.provider_keys"
ADMIN_KEYS = "select ciphertext, org_id from private.admin_keys"


def unreadable(conn: psycopg.Connection, config: Config) -> str:
    """How many stored provider keys and admin keys cannot be decrypted, and what to do; empty where all can.

    conn: of the database's owner, who alone can read all of them.
    """
    found = [_opens(partial(unseal, config.key_ring, *row)) for row in conn.execute(PROVIDER_KEYS)]
    found += [_opens(partial(unseal_admin_key, config, *row)) for row in conn.execute(ADMIN_KEYS)]
    if all(found):
        return ""
    return (
        f"{found.count(False)} of {len(found)} stored OpenAI keys cannot be decrypted: add the encryption key that they"
        " were stored with to SPENDAI_ENCRYPTION_KEYS, which all gateways of a database share, or store them again"
    )


def _opens(unsealing: Callable[[], str]) -> bool:
    try:
        unsealing()
    except VaultError:
        return False
    return True
