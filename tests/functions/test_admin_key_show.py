"""app.admin_key_show: of the admin key only its end, and how its fetches went."""

from __future__ import annotations

import json
from datetime import timedelta

from checks import executors
from openai_books import DAY, fetch
from people import People

SHOW = "select * from app.admin_key_show()"


def shown(people: People, who: str) -> dict | None:
    with people.as_(who):
        return people.one(SHOW)


def test_members_see_the_end_of_their_own_key_and_strangers_nothing(people: People) -> None:
    with people.as_("ada"):
        people.one("select * from app.admin_key_set('secret', 'wxyz', 'https://x.test/v1')")
    for who in ("ada", "dev"):
        row = shown(people, who)
        assert (row["last4"], row["base_url"], row["fetched_at"]) == ("wxyz", "https://x.test/v1", None)
        assert set(row) == {"last4", "base_url", "updated_at", "fetched_at", "failed_at", "error"}
    assert shown(people, "eve") is None
    with people.as_("nobody"):
        people.refused("42501", SHOW)


def test_a_failed_attempt_is_shown_until_one_is_complete(people: People) -> None:
    with people.as_("ada"):
        people.one("select * from app.admin_key_set('secret', 'wxyz', null)")
    fetch(people, {DAY: []})
    first = shown(people, "ada")
    assert first["fetched_at"] and first["failed_at"] is None
    failed = {
        "source": "api",
        "from_day": str(DAY),
        "until_day": str(DAY + timedelta(1)),
        "error": "OpenAI has a fault",
    }
    people.one("select app.books_store(%s, %s::jsonb)", people.orgs["ada"], json.dumps(failed))
    row = shown(people, "ada")
    assert (row["fetched_at"], row["error"]) == (first["fetched_at"], "OpenAI has a fault")
    assert row["failed_at"] > row["fetched_at"]
    fetch(people, {DAY: []})
    assert shown(people, "ada")["error"] is None


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "admin_key_show") == {"authenticated"}
