"""app.clean_name: names fit to store and show."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People


@pytest.mark.parametrize(("given", "kept"), [("a", "a"), (" \t Acme\r\n", "Acme"), ("x" * 200, "x" * 200),
    ("日本語 é 😀", "日本語 é 😀"), ("<b>&'\"", "<b>&'\""), ("two  spaces", "two  spaces"),
    ("\xa0\u3000Acme\u200b\ufeff", "Acme"), ("Cafe\u0301", "Caf\xe9"), ("می\u200cخواهم", "می\u200cخواهم"),
    ("a\xa0b", "a\xa0b"), ("اسم", "اسم"), ("👩\u200d💻", "👩\u200d💻")])  # fmt: skip
def test_a_name_is_kept_composed_and_without_space_around(people: People, given: str, kept: str) -> None:
    assert people.one("select app.clean_name(%s, 'name') as name", given)["name"] == kept


@pytest.mark.parametrize(("given", "code"), [(None, "name_required"), ("", "name_required"), (" \t\n", "name_required"),
    ("\xa0", "name_required"), ("\u3000\u2009", "name_required"), ("\u200b\u200d\u2060\ufeff", "name_required"),
    ("\u3164", "name_invalid"), ("\u2800", "name_invalid"),
    ("x" * 201, "name_too_long"),
    ("a\nb", "name_invalid"), ("a\x7fb", "name_invalid"), ("\x1b[31m", "name_invalid"),
    *((f"a{chr(code)}b", "name_invalid") for code in (*range(1, 32), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x200B,
        0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF))])  # fmt: skip
def test_what_is_no_name_is_refused_and_the_parameter_named(people: People, given: str | None, code: str) -> None:
    diag = people.refused("PT400", "select app.clean_name(%s, 'organization')", given).diag
    assert (diag.message_detail, diag.column_name) == (code, "organization")


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "clean_name") == set()
