"""Which identity provider an install uses: Supabase Auth when SUPABASE_URL is set, else the embedded one."""

from __future__ import annotations

from webapp.auth.embedded_identity import EmbeddedIdentity
from webapp.auth.identity import Identity
from webapp.config import Config


def choose(config: Config) -> Identity:
    """The provider that the settings choose. Raises ConfigError."""
    if not config.supabase_url:
        return EmbeddedIdentity(config)
    from webapp.auth.supabase_identity import SupabaseIdentity  # noqa: PLC0415  # 43 MB and 0.3 s to import

    return SupabaseIdentity(config)
