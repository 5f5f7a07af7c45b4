"""Whom a developer asks for what only admins may do."""

from __future__ import annotations

from typing import Any

from webapp import auth

SHOWN = 3


def to_ask() -> dict[str, Any]:
    """E-mail addresses of some admins of the organization, those who joined first, and how many more there are."""
    with auth.person() as tx:
        rows = tx.query("select email from public.members where role = 'admin' order by joined_at, email")
    return {"emails": [row["email"] for row in rows[:SHOWN]], "more": max(len(rows) - SHOWN, 0)}
