"""app.clean_email: addresses as they are stored and compared."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors
from people import People


@pytest.mark.parametrize(("given", "kept"),
    [("ada@acme.test", "ada@acme.test"), (" \tADA@Acme.Test\r\n", "ada@acme.test"),
    ("o'hara+tag/x=1@a-b.c1.test", "o'hara+tag/x=1@a-b.c1.test"),
    ("x" * 64 + "@" + "y" * 63 + ".test", "x" * 64 + "@" + "y" * 63 + ".test"),
    ("a@xn--bcher-kva.test", "a@xn--bcher-kva.test")])  # fmt: skip
def test_an_address_is_kept_in_lower_case_without_space_around(people: People, given: str, kept: str) -> None:
    assert people.one("select app.clean_email(%s, 'email') as email", given)["email"] == kept


@pytest.mark.parametrize(("given", "code"),
    [(None, "email_required"), ("", "email_required"), (" \n", "email_required"),
    ("ada", "email_invalid"), ("ada@", "email_invalid"), ("@acme.test", "email_invalid"), ("ada@acme", "email_invalid"),
    ("a b@acme.test", "email_invalid"), ("a@b@acme.test", "email_invalid"), ("a@-acme.test", "email_invalid"),
    ("a@acme-.test", "email_invalid"),
    ("a@acme..test", "email_invalid"), ("a@acme.test.", "email_invalid"), ("a@acme.test\nb@evil.test", "email_invalid"),
    ("é@acme.test", "email_invalid"), ("\u212aelvin@acme.test", "email_invalid"), ("<a@acme.test>", "email_invalid"),
    ("x" * 65 + "@acme.test", "email_invalid"), ("a@" + "y" * 64 + ".test", "email_invalid"),
    ("a@" + "y.".join("x" * 130) + ".test", "email_invalid")])  # fmt: skip
def test_what_is_no_address_is_refused_and_the_parameter_named(people: People, given: str | None, code: str) -> None:
    diag = people.refused("PT400", "select app.clean_email(%s, 'to')", given).diag
    assert (diag.message_detail, diag.column_name) == (code, "to")


def test_only_functions_use_it(db: psycopg.Connection) -> None:
    assert executors(db, "clean_email") == set()
