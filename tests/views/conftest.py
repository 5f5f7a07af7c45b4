"""Fixtures of the tests of views."""

from __future__ import annotations

from ledgers import ledger

__all__ = ["ledger"]
