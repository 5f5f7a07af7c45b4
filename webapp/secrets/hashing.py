"""The hash under which the database stores a secret that SpendAI made: proxy key, session id, refresh or link token.

Plain SHA-256, without salt or stretching: bcrypt protects passwords that people choose; these secrets are 256 random
bits, which cannot be guessed, and every request looks one of them up. auth/throttle.py also hashes email
addresses with it, to count log-ins without storing the addresses; this hides little, since an address can be guessed.
"""

from __future__ import annotations

import hashlib


def sha256_of(text: str) -> bytes:
    """SHA-256 of a text, 32 bytes. Any text has one, also what a client sent in place of a key."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
