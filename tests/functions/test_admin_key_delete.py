"""app.admin_key_delete."""

from __future__ import annotations

from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

DELETE = "select app.admin_key_delete()"
SET = "select * from app.admin_key_set(%s, 'wxyz', null)"


def test_an_admin_deletes_only_the_own_one(people: People) -> None:
    for who in ("ada", "eve"):
        with people.as_(who):
            people.one(SET, who.encode())
    with people.as_("ada"):
        people.one(DELETE)
    assert [row["ciphertext"] for row in people.all("select ciphertext from private.admin_keys")] == [b"eve"]
    assert audit_lines(people, "ada")[-1] == ("admin_key.deleted", None, {"last4": "wxyz"})
    refuses(people, "ada", "404 admin_key_not_found", DELETE)


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", DELETE)
    strangers_are_refused(people, DELETE)


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "admin_key_delete") == {"authenticated"}
