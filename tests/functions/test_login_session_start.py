"""app.login_session_start: a log-in of the embedded provider."""

from __future__ import annotations

from uuid import uuid4

import psycopg
from checks import executors
from people import People

START = "select app.login_session_start(%s, %s, null, null) as id"


def test_a_log_in_is_a_living_session_with_one_refresh_token(people: People) -> None:
    with people.as_role("spendai_auth"):
        session = people.one(START, people.ids["ada"], b"r" * 32)["id"]
        assert people.one("select app.login_session_alive(%s) as alive", session)["alive"]
    (token,) = people.all("select *, expires_at - now() as left from private.refresh_tokens")
    assert (token["token_hash"], token["session_id"], token["used_at"], token["left"].days) == (
        b"r" * 32,
        session,
        None,
        30,
    )


def test_several_log_ins_live_side_by_side(people: People) -> None:
    with people.as_role("spendai_auth"):
        ids = {people.one(START, people.ids["ada"], bytes([n]) * 32)["id"] for n in range(3)}
        assert len(ids) == 3 and all(people.one("select app.login_session_alive(%s) as a", i)["a"] for i in ids)


def test_it_sweeps_sessions_that_nobody_can_continue(people: People) -> None:
    ids = [people.one(START, people.ids["ada"], bytes([n]) * 32)["id"] for n in range(30)]
    with people.as_role("spendai_auth"):
        people.one("select app.login_session_refresh(%s, %s)", bytes([0]) * 32, b"0" * 32)
    people.conn.execute("update private.refresh_tokens set expires_at = now() - interval '1 s' where token_hash <> %s",
                        [b"0" * 32])  # fmt: skip
    for hashed, left in ((b"x", {11, 12}), (b"y", {3})):  # at most 20 tokens at a time, one of them perhaps of ids[0]
        with people.as_role("spendai_auth"):
            people.one(START, people.ids["ada"], hashed * 32)
        assert people.one("select count(*) as n from private.login_sessions")["n"] in left
    assert people.one("select app.login_session_alive(%s) as alive", ids[0])["alive"], "it was refreshed since"
    assert people.one("select count(*) as n from private.refresh_tokens")["n"] == 3


def test_an_unknown_person_or_a_hash_of_another_length_gets_none(people: People) -> None:
    with people.as_role("spendai_auth"):
        people.refused("23503", START, uuid4(), b"r" * 32)
        people.refused("23514", START, people.ids["ada"], b"short")
    assert people.all("select from private.login_sessions") == []


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "login_session_start") == {"spendai_auth"}
