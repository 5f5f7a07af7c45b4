"""app.schema_version: the last migration that was applied."""

from __future__ import annotations

from checks import executors
from people import People

from webapp.postgres.migrations import newest

ASK = "select app.schema_version() as version"


def version(people: People) -> str:
    with people.as_role("spendai_auth"):
        return people.one(ASK)["version"]


def test_it_is_the_last_migration_whatever_else_was_applied(people: People) -> None:
    assert version(people) == newest()
    files = "insert into private.schema_files (path, sha256) values (%s, 'x')"
    people.conn.execute(files, ["db/policies/zzz.sql"])
    assert version(people) == newest()
    people.conn.execute(files, ["db/migrations/9999_new.sql"])
    assert version(people) == "db/migrations/9999_new.sql"


def test_only_the_sign_in_role_may_ask(people: People) -> None:
    assert executors(people.conn, "schema_version") == {"spendai_auth"}
    for who in ("ada", "eve", "nobody"):
        with people.as_(who):
            people.refused("42501", ASK)
