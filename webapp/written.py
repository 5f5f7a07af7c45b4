"""Formats money, tokens, shares and times for people: Jinja filters, also used by the charts and the commands.

Nothing is calculated here: values come from SQL and are only rounded. The exact figure goes into a title attribute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

# What clean_name.sql refuses in names: control characters, what changes the direction of text, what nobody sees.
_MISLEADING = re.compile(
    "[\x80-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0]"
)
# A formula begins with one of these characters (the last four are their full-width forms). Spreadsheets that expect
# semicolons or tabs between cells also split a text there.
FORMULA = re.compile(r"^(?=[\t\r])|(?:^|(?<=[;\t\r\n]))(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
MINUS = "\N{MINUS SIGN}"
FIGURE_SPACE = "\u2007"  # as wide as a digit
NOTHING = "–"  # for a value that is not known, which must not read as 0
_EXACT = Context(prec=1100)  # digits: more than an amount of OpenAI's may have; abs() alone would round to 28
# Dimensions whose price is a part of what the tokens cost: group `share` of app.price_groups.
SHARES = ("completion_window", "regional_processing")


def guarded(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would take for a formula."""
    return FORMULA.sub("'", text)


def digits(value: Decimal) -> str:
    """All digits, no exponent, no zeros at the end, for programs: 0.00045, 1234.5."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _plain(value: Decimal) -> str:
    """All digits, no exponent, no trailing zeros, thousands separated: 1,234.5."""
    text = f"{value.normalize(_EXACT):,f}"
    return "0" if text == "-0" else text.replace("-", MINUS)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)


def exact(value: Decimal | None, places: int = 0) -> str:
    """Dollars to the last digit: $0.000123; with at least two decimals.

    places: spaces follow in place of further decimals up to so many, so that a column aligns on the decimal point.
    """
    if value is None:
        return NOTHING
    whole, _, cents = _plain(value.copy_abs()).partition(".")
    return f"{MINUS if value < 0 else ''}${whole}.{cents.ljust(2, '0').ljust(places, FIGURE_SPACE)}"


def places(values: Iterable[Decimal | None]) -> int:
    """The most decimals that ``exact`` writes for one of these values."""
    return max((len(exact(value).partition(".")[2]) for value in values), default=0)


def money(value: Decimal | None) -> str:
    """Dollars of a sum: two decimals; below a dollar two significant digits, so a small amount never reads $0.00."""
    if value is None:
        return NOTHING
    places = 2 if value == 0 or abs(value) >= 1 else max(2, 1 - value.adjusted())
    return f"{MINUS if value < 0 else ''}${_rounded(value.copy_abs(), places):,f}"


def cost(value: Decimal | None) -> str:
    """Dollars of one call: six decimals, so that columns align; more for amounts that need them for three digits."""
    if value is None or value == 0:
        return money(value)
    return f"{MINUS if value < 0 else ''}${_rounded(value.copy_abs(), max(6, 2 - value.adjusted())):,f}"


def number(value: int | Decimal | None) -> str:
    """All digits of a count: 184,220."""
    return NOTHING if value is None else _plain(Decimal(value))


def many(count: int, noun: str) -> str:
    """A count with what it counts: 1 call, 2 calls."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def counted(line: dict[str, Any]) -> str:
    """The quantity of a line of a cost: 1,000, or for a share of what the tokens cost: tokens of $0.0231."""
    if line["dimension"] in SHARES:
        return f"tokens of {exact(line['quantity'])}"
    return number(line["quantity"])


def rate(price: dict[str, Any], per: str = " per ") -> str:
    """The price of a line of a cost or of a price row: $0.15 per 1,000,000, or for a share: +10 %."""
    if price["dimension"] in SHARES:
        percent = _plain(Decimal(price["unit_price"]) * 100 / Decimal(price["unit_qty"]))
        return f"{'+' if price['unit_price'] > 0 else ''}{percent} %"
    return f"{exact(price['unit_price'])}{per}{number(price['unit_qty'])}"


def tokens(value: int | None) -> str:
    """A count in three to four digits: 9,999, 12.3k, 412.8M, 1.2B."""
    if value is None or abs(value) < 10_000:
        return number(value)
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        # Rounded first, or 999,960 would read 1000.0k.
        if _rounded(Decimal(abs(value)) / size, 1) >= 1:
            return f"{MINUS if value < 0 else ''}{_rounded(Decimal(abs(value)) / size, 1):,}{letter}"
    return number(value)


def share(value: Decimal | None, places: int = 0) -> str:
    """A ratio in percent: 41%; <1% for a small one that would read 0%, >99% for one below 1 that would read 100%."""
    if value is None:
        return NOTHING
    percent = value * 100
    least = Decimal(1).scaleb(-places)
    if 0 < percent < least:
        return f"<{least}%"
    text = percent.quantize(least, ROUND_HALF_EVEN, _EXACT)
    if text == 100 and percent < 100:
        return f">{100 - least}%"
    return f"{_plain(text)}%"


def change(value: Decimal | None) -> str:
    """A change in words that "vs before" can follow: +12%, −3%, 6 times, (about the) same as. value: 0.12 for +12%.

    −100% is only written where nothing is left: −99.97% reads −99.9%.
    """
    if value is None:
        return NOTHING
    if value >= 4:
        return f"{_plain(_rounded(value + 1, 0))} times"
    percent = _rounded(value * 100, 0)
    if percent == 0:
        return "about the same as" if value else "same as"
    if percent == -100 < value * 100:
        percent = (value * 100).quantize(Decimal("0.1"), ROUND_DOWN, _EXACT)
    return f"{percent:+f}%".replace("-", MINUS)


def growth(value: Decimal | None) -> str:
    """A change in a table: +12%, −3%, 0%, 6 times. value: 0.12 for +12%."""
    text = change(value)
    return "0%" if text.endswith("same as") else text


def signed(value: Decimal | int | None, words: Callable[[Any], str] = money) -> str:
    """A difference with its sign, written by ``words``: +$12.30, −4.1M; – for None."""
    if value is None or value == 0:
        return words(value)
    return f"{'+' if value > 0 else MINUS}{words(abs(value))}"


def day(value: date | datetime | None, zone: tzinfo = UTC) -> str:
    """1 Nov 2026; of a moment the day in UTC or the zone given."""
    if value is None:
        return NOTHING
    value = value.astimezone(zone) if isinstance(value, datetime) else value
    return f"{value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """Whole days in words, as everything writes a period: 1 Nov 2026, 1–29 Oct 2026, 24 Oct – 22 Nov 2026."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    begin = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{begin} – {day(last)}"


def month(value: date) -> str:
    """Nov 2026."""
    return f"{value:%b %Y}"


def last_day(value: date) -> str:
    """The last day of its month: 2026-11-30."""
    return ((value.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).isoformat()


def moment(value: datetime | None, zone: tzinfo = UTC) -> str:
    """2026-11-22 18:57:03, in UTC or the zone given."""
    return NOTHING if value is None else f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def lasted(value: timedelta) -> str:
    """A duration in its two largest units, as far as seconds: 4.2 s, 3 min 5 s, 1 h 2 min."""
    if value < timedelta(seconds=59.95):
        return f"{value.total_seconds():.1f} s"
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min {seconds} s"


def ago(value: datetime | None, now: datetime | None = None) -> Markup:
    """How long ago or in how long, with the exact time as title; “never” for None."""
    if value is None:
        return Markup("never")
    seconds = ((now or datetime.now(UTC)) - value).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds < 60:
        words = "in a moment" if ahead else "just now"
    else:
        for size, unit in ((86400, "day"), (3600, "hour"), (60, "min")):
            if seconds >= size:
                count = round(seconds / size) if ahead else int(seconds // size)
                words = f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''}"
                break
        words = f"in {words}" if ahead else f"{words} ago"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        value.astimezone(UTC).isoformat(), moment(value), escape(words)
    )


def visible(value: Any) -> Any:
    """What a template shows: a text with its misleading characters written as their number, any other value as it is.

    Tags, end users and models are what clients sent: one with such a character could look like another one, or empty.
    """
    if not isinstance(value, str) or value.isascii() or not _MISLEADING.search(value):
        return value
    return type(value)(_MISLEADING.sub(lambda found: f"\\u{ord(found[0]):04x}", value))


def init_app(app: Flask) -> None:
    """Make what templates use of these functions Jinja filters, and ``visible`` one of everything that they show."""
    app.jinja_env.finalize = visible
    amounts = (exact, money, cost, number, counted, rate, tokens, share, change, growth, signed)
    for function in (*amounts, day, month, last_day, moment, lasted, ago):
        app.add_template_filter(function)
