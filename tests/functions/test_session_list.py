"""app.session_list."""

from __future__ import annotations

from typing import Any

from checks import executors
from people import People

HERE, THERE, TOKEN = b"h" * 32, b"t" * 32, b"r" * 32


def sessions(people: People, name: str = "ada") -> list[dict[str, Any]]:
    with people.as_role("spendai_auth"):
        return people.all("select * from app.session_list(%s, %s)", people.ids[name], HERE)


def test_browsers_and_api_log_ins_are_listed_the_one_that_asks_first(people: People) -> None:
    with people.as_role("spendai_auth") as conn:
        for hashed in (THERE, HERE):
            conn.execute(
                "select app.web_session_start(%s, %s, '{}', null, 600, null, null)", [hashed, people.ids["ada"]]
            )
        conn.execute("select app.login_session_start(%s, %s, null, null)", [people.ids["ada"], TOKEN])
    found = sessions(people)
    assert [(row["kind"], row["is_this"]) for row in found] == [("browser", True), ("browser", False), ("api", False)]
    assert all(row["started_at"] <= row["seen_at"] for row in found)
    assert sessions(people, "eve") == []


def test_what_has_ended_is_not_listed(people: People) -> None:
    with people.as_role("spendai_auth") as conn:
        conn.execute("select app.web_session_start(%s, %s, '{}', null, -1, null, null)", [HERE, people.ids["ada"]])
        conn.execute("select app.login_session_start(%s, %s, null, null)", [people.ids["ada"], TOKEN])
        conn.execute("select app.sessions_end_all(%s)", [people.ids["ada"]])
    assert sessions(people) == []


def test_only_sign_in_may_ask(people: People) -> None:
    assert executors(people.conn, "session_list") == {"spendai_auth"}
