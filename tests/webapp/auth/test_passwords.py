"""Hashes of passwords as the product ships them; the other tests of the suite use a lower cost."""

from __future__ import annotations

from webapp.auth.passwords import COST, NOBODY


def test_an_unknown_address_takes_as_long_as_a_wrong_password() -> None:
    assert COST == 10
    assert NOBODY.startswith(b"$2a$%d$" % COST)
