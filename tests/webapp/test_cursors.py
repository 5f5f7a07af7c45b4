"""Cursors: what is written is read again, and nothing else is."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from webapp import cursors
from webapp.errors import ApiError

ROW = UUID("0197a1b2-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 22, 18, 57, 3, 123456, UTC)


@pytest.mark.parametrize(("position", "kinds"), [
    ((AT, ROW), (cursors.moment, UUID)), ((Decimal("0.000000012345"), ROW), (cursors.amount, UUID)),
    ((None, ROW), (cursors.amount, UUID)), ((1_795_374_000_000_000, ROW), (cursors.amount, UUID)),
    ((Decimal("-1E-12"), ROW), (cursors.amount, UUID)), ((123,), (cursors.whole,)),
])  # fmt: skip
def test_a_position_comes_back_exactly(position: tuple, kinds: tuple) -> None:
    word = cursors.write(*position)
    assert word.isascii() and word.replace("-", "").replace("_", "").isalnum(), "needs no quoting in a query string"
    assert cursors.read(word, *kinds) == position


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    word = cursors.write(AT.astimezone(timezone(timedelta(hours=5))), ROW)
    assert word == cursors.write(AT, ROW)


@pytest.mark.parametrize("text", [None, ""])
def test_no_cursor_is_the_first_page(text: str | None) -> None:
    assert cursors.read(text, cursors.moment, UUID) == (None, None)


@pytest.mark.parametrize(("words", "kinds"), [
    ("", (cursors.moment, UUID)), (f"2026-01-01T00:00:00~{ROW}", (cursors.moment, UUID)),
    (f"~{ROW}", (cursors.moment, UUID)),
    (f"0001-01-01T00:00:00+14:00~{ROW}", (cursors.moment, UUID)), (f"1~{ROW}~1", (cursors.amount, UUID)),
    ("1", (cursors.amount, UUID)), ("1~x", (cursors.amount, UUID)), (f"NaN~{ROW}", (cursors.amount, UUID)),
    (f"Infinity~{ROW}", (cursors.amount, UUID)), (f"1e999999~{ROW}", (cursors.amount, UUID)),
    (f"{'9' * 5000}~{ROW}", (cursors.amount, UUID)), (f"\u0663~{ROW}", (cursors.amount, UUID)),
    (f"{AT.isoformat()}~{ROW}", (cursors.amount, UUID)), (f"1~{ROW}", (cursors.moment, UUID)),
    ("-1", (cursors.whole,)), (str(2**63), (cursors.whole,)), ("9" * 5000, (cursors.whole,)), ("1.0", (cursors.whole,)),
])  # fmt: skip
def test_a_cursor_that_was_not_written_for_this_list_is_a_400(words: str, kinds: tuple) -> None:
    with pytest.raises(ApiError) as refused:
        cursors.read(urlsafe_b64encode(words.encode()).decode() or "=", *kinds)
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, "invalid_cursor", "cursor")


@pytest.mark.parametrize("text", ["x", "é", "=", "AAAA", "2026-01-01T00:00:00Z~x", "MQ==MQ==", "M Q", "\ud800"])
def test_text_that_is_no_cursor_is_a_400(text: str) -> None:
    with pytest.raises(ApiError):
        cursors.read(text, cursors.whole)
