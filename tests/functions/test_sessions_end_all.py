"""app.sessions_end_all: a person is signed out everywhere."""

from __future__ import annotations

import psycopg
from checks import executors
from people import HASH, People


def test_every_session_of_this_person_ends_and_nobody_elses(people: People) -> None:
    logins = {}
    for n, who in enumerate(("ada", "eve")):
        people.one(
            "select app.web_session_start(%s, %s, '{}', null, 3600, null, null)", bytes([n]) * 32, people.ids[who]
        )
        logins[who] = people.one(
            "select app.login_session_start(%s, %s, null, null) as id", people.ids[who], bytes([n]) * 32
        )["id"]
    with people.as_role("spendai_auth"):
        people.one("select app.sessions_end_all(%s)", people.ids["ada"])
        web = [len(people.all("select * from app.web_session_load(%s)", bytes([n]) * 32)) for n in (0, 1)]
        alive = [people.one("select app.login_session_alive(%s) as a", logins[who])["a"] for who in ("ada", "eve")]
    assert (web, alive) == ([0, 1], [False, True])


def test_every_link_to_set_a_password_of_this_person_ends_and_nobody_elses(people: People) -> None:
    for n, email in enumerate(("ada@acme.test", "eve@evil.test")):
        people.one("select app.password_reset_create(%s, %s)", email, bytes([n]) * 32)
    with people.as_role("spendai_auth"):
        people.one("select app.sessions_end_all(%s)", people.ids["ada"])
        used = [people.one("select app.password_reset_use(%s, %s) as p", bytes([n]) * 32, HASH)["p"] for n in (0, 1)]
    assert used == [None, people.ids["eve"]]


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "sessions_end_all") == {"spendai_auth"}
