"""Proxy keys: format, randomness, hash."""

from __future__ import annotations

import hashlib
import re

from webapp.secrets.hashing import sha256_of
from webapp.secrets.proxy_keys import new_key


def test_a_key_holds_its_id_and_256_random_bits() -> None:
    key = new_key()
    assert re.fullmatch(r"sk-spend-[0-9a-f]{32}-[A-Za-z0-9_-]{43}", key.key)
    assert key.key.split("-")[2] == key.id.hex
    assert key.prefix == f"sk-spend-{key.id.hex[:8]}"


def test_its_hash_is_the_sha256_of_the_whole_key() -> None:
    key = new_key()
    assert key.hash == hashlib.sha256(key.key.encode()).digest() == sha256_of(key.key)


def test_a_thousand_keys_have_different_ids_secrets_and_hashes() -> None:
    keys = [new_key() for _ in range(1000)]
    for part in ({key.id for key in keys}, {key.key[42:] for key in keys}, {key.hash for key in keys}):
        assert len(part) == 1000


def test_any_text_that_a_client_sends_as_key_has_a_hash() -> None:
    for text in ("", "é", "\udcff", "\x00", "x" * 100_000):
        assert len(sha256_of(text)) == 32
