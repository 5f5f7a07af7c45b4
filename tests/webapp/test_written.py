"""How amounts, counts and times are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from webapp import written
from webapp.config import ROOT

amounts = st.decimals(min_value=Decimal("0.000000000001"), max_value=Decimal("99999999"), places=12)


@pytest.mark.parametrize(("value", "words"), [
    ("2914.07", "$2,914.07"), ("0", "$0.00"), ("0.5", "$0.50"), ("0.01234", "$0.012"), ("0.0000012", "$0.0000012"),
    ("0.999", "$1.00"), ("1.005", "$1.01"), ("1234567.891", "$1,234,567.89"), ("-3.5", "−$3.50"), ("0E-12", "$0.00"),
])  # fmt: skip
def test_a_sum_has_two_decimals_and_small_ones_keep_two_digits(value: str, words: str) -> None:
    assert written.money(Decimal(value)) == words


@pytest.mark.parametrize(("value", "words"), [
    ("0.0123456789", "$0.012346"), ("0.000123", "$0.000123"), ("0.00000001234", "$0.0000000123"), ("12", "$12.000000"),
    ("0", "$0.00"),
])  # fmt: skip
def test_the_cost_of_a_call_has_six_decimals_or_three_digits(value: str, words: str) -> None:
    assert written.cost(Decimal(value)) == words


@pytest.mark.parametrize(("value", "words"), [
    ("0.000729525000", "$0.000729525"), ("3", "$3.00"), ("1234.5", "$1,234.50"), ("1E-12", "$0.000000000001"),
    ("-1241.034798439012345678901233999999990", "−$1,241.03479843901234567890123399999999"),
    (f"{10**28}.{'0' * 900}1", f"${10**28:,}.{'0' * 900}1"),
])  # fmt: skip
def test_the_exact_figure_has_every_digit_and_no_exponent(value: str, words: str) -> None:
    assert written.exact(Decimal(value)) == words


@given(amounts)
def test_something_never_reads_as_nothing(amount: Decimal) -> None:
    for function in (written.money, written.cost, written.exact):
        assert any(digit in function(amount) for digit in "123456789"), function.__name__


@given(amounts)
def test_the_exact_figure_is_the_figure(amount: Decimal) -> None:
    assert Decimal(written.exact(amount).replace("$", "").replace(",", "")) == amount


@given(amounts)
def test_what_is_below_zero_has_the_minus_sign_before_the_dollars(amount: Decimal) -> None:
    for function in (written.money, written.cost, written.exact, written.number, written.tokens):
        assert function(-amount) == f"−{function(amount)}", function.__name__


def test_only_a_single_thing_has_no_s() -> None:
    assert [written.many(count, "call") for count in (0, 1, 2)] == ["0 calls", "1 call", "2 calls"]


def test_what_is_not_known_is_a_dash_and_not_zero() -> None:
    for function in (written.money, written.cost, written.exact, written.number, written.tokens, written.share):
        assert function(None) == "–"


@pytest.mark.parametrize(("value", "words"), [
    (0, "0"), (9999, "9,999"), (10_000, "10.0k"), (412_800_000, "412.8M"), (999_960, "1.0M"), (1_240_000_000, "1.2B"),
])  # fmt: skip
def test_tokens_are_short(value: int, words: str) -> None:
    assert written.tokens(value) == words


@pytest.mark.parametrize(("value", "places", "words"), [
    ("0.41", 0, "41%"), ("0", 0, "0%"), ("0.001", 0, "<1%"), ("0.9999", 0, ">99%"), ("1", 0, "100%"),
    ("0.0062", 1, "0.6%"), ("0.0001", 1, "<0.1%"),
])  # fmt: skip
def test_a_share_is_never_rounded_to_nothing_or_all(value: str, places: int, words: str) -> None:
    assert written.share(Decimal(value), places) == words


@pytest.mark.parametrize(("value", "words"), [
    ("0.124", "+12%"), ("-0.5", "−50%"), ("0.001", "about the same as"), ("0", "same as"),
    ("5", "6 times"), ("-1", "−100%"), ("-0.996", "−99.6%"), ("-0.99999", "−99.9%"), ("-0.994", "−99%"),
])  # fmt: skip
def test_a_change_is_said_in_words(value: str, words: str) -> None:
    assert written.change(Decimal(value)) == words


@pytest.mark.parametrize(("value", "words"), [("0.124", "+12%"), ("-0.5", "−50%"), ("0.001", "0%"), ("5", "6 times")])
def test_a_change_in_a_table_is_a_number_also_where_there_is_none(value: str, words: str) -> None:
    assert written.growth(Decimal(value)) == words


@pytest.mark.parametrize(("value", "words"), [
    (Decimal("12.3"), "+$12.30"), (Decimal("-0.0012"), "−$0.0012"), (Decimal(0), "$0.00"), (None, "–"),
])  # fmt: skip
def test_a_difference_has_its_sign_before_the_dollars(value: Decimal | None, words: str) -> None:
    assert written.signed(value, written.money) == words


@pytest.mark.parametrize(("before", "words"), [
    (timedelta(seconds=5), "just now"), (timedelta(minutes=2), "2 min ago"), (timedelta(hours=1), "1 hour ago"),
    (timedelta(days=3, hours=5), "3 days ago"), (timedelta(days=-2), "in 2 days"),
])  # fmt: skip
def test_a_moment_says_how_long_ago_and_exactly_when(before: timedelta, words: str) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    shown = written.ago(now - before, now)
    assert f">{words}</time>" in shown
    assert f'title="{(now - before):%Y-%m-%d %H:%M:%S} UTC"' in shown


def test_a_share_of_what_the_tokens_cost_is_a_percentage_of_dollars() -> None:
    line = {"dimension": "regional_processing", "quantity": Decimal("0.0231"), "unit_price": Decimal("0.1000000000"),
            "unit_qty": Decimal(1)}  # fmt: skip
    assert (written.counted(line), written.rate(line)) == ("tokens of $0.0231", "+10 %")
    window = line | {"dimension": "completion_window", "unit_price": Decimal("-0.3")}
    assert (written.counted(window | {"quantity": None}), written.rate(window)) == ("tokens of –", "−30 %")
    text = line | {"dimension": "input_text", "quantity": Decimal(1000), "unit_qty": Decimal(1_000_000)}
    assert (written.counted(text), written.rate(text)) == ("1,000", "$0.10 per 1,000,000")


def test_never_used_is_said() -> None:
    assert written.ago(None) == "never"


def test_text_that_could_look_like_another_one_is_shown_with_the_numbers_of_such_characters():
    assert written.visible("a\u202eb\x85") == "a\\u202eb\\u0085"
    assert written.visible(Markup("<b>\u2066</b>")) == Markup("<b>\\u2066</b>")
    assert written.visible("pay\u200bments\ufeff") == "pay\\u200bments\\ufeff", "nobody sees them"
    for value in ("é 日本 👩\u200d💻", "plain\n", 7, None):
        assert written.visible(value) is value


def test_what_is_refused_in_names_is_shown_by_number_elsewhere() -> None:
    source = (ROOT / "db/functions/clean_name.sql").read_text()
    refused = "".join(re.search(r"v_name ~ '(\[.*)'\n\s*'(.*\])' collate", source).groups())
    refused = re.compile(refused)
    for code in range(0x80, 0x10000):
        assert (written.visible(chr(code)) != chr(code)) == bool(refused.search(chr(code))), hex(code)
