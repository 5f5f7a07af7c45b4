"""Encrypted OpenAI keys can be decrypted for the organization and project they belong to, and for no other."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest

from webapp.secrets.vault import VaultError, seal, unseal

ORG, PROJECT = uuid4(), uuid4()
RING = {1: secrets.token_bytes(32)}


@pytest.mark.parametrize("project", [None, PROJECT])
def test_an_encrypted_key_can_be_decrypted(project: object) -> None:
    sealed = seal(RING, "sk-canary", ORG, project)
    assert unseal(RING, sealed, ORG, project) == "sk-canary"
    assert sealed[:3] == b"\x01\x00\x01" and b"canary" not in sealed


def test_the_same_key_is_never_encrypted_to_the_same_bytes() -> None:
    assert len({seal(RING, "sk-x", ORG, None) for _ in range(100)}) == 100


@pytest.mark.parametrize(("org", "project"), [(uuid4(), None), (ORG, PROJECT)])
def test_a_key_moved_to_another_row_cannot_be_decrypted(org: object, project: object) -> None:
    with pytest.raises(VaultError, match="changed or moved"):
        unseal(RING, seal(RING, "sk-x", ORG, None), org, project)


def test_a_key_with_one_flipped_bit_cannot_be_decrypted() -> None:
    sealed = seal(RING, "sk-x", ORG, None)
    for at in range(len(sealed)):
        broken = bytearray(sealed)
        broken[at] ^= 1
        with pytest.raises(VaultError):
            unseal(RING, bytes(broken), ORG, None)


@pytest.mark.parametrize(
    "sealed", [b"", b"\x01", b"\x01\x00\x01", b"\x01\x00\x01" + b"x" * 12, b"\x02\x00\x01" + b"x" * 40]
)
def test_bytes_that_are_no_encrypted_key_are_a_vault_error(sealed: bytes) -> None:
    with pytest.raises(VaultError):
        unseal(RING, sealed, ORG, None)


def test_new_keys_use_the_highest_key_of_the_ring_and_old_ones_still_decrypt() -> None:
    old = seal(RING, "sk-old", ORG, None)
    both = RING | {2: secrets.token_bytes(32)}
    assert unseal(both, old, ORG, None) == "sk-old"
    new = seal(both, "sk-new", ORG, None)
    assert new[1:3] == b"\x00\x02" and unseal(both, new, ORG, None) == "sk-new"
    with pytest.raises(VaultError, match="SPENDAI_ENCRYPTION_KEYS"):
        unseal(RING, new, ORG, None)
