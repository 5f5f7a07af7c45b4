"""app.login_session_refresh: each refresh token is good for one use."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from checks import executors, side_by_side
from people import HASH, People

REFRESH = "select * from app.login_session_refresh(%s, %s)"


@pytest.fixture
def session(people: People) -> UUID:
    return people.one("select app.login_session_start(%s, %s, null, null) as id", people.ids["ada"], b"1" * 32)["id"]


def refresh(people: People, old: bytes, new: bytes) -> dict[str, Any] | None:
    with people.as_role("spendai_auth"):
        return people.one(REFRESH, old * 32, new * 32)


def alive(people: People, session: UUID) -> bool:
    return people.one("select app.login_session_alive(%s) as alive", session)["alive"]


def test_a_token_is_traded_for_the_next_one(people: People, session: UUID) -> None:
    wanted = {"session_id": session, "user_id": people.ids["ada"], "email": "ada@acme.test"}
    assert refresh(people, b"1", b"2") == refresh(people, b"2", b"3") == wanted
    assert refresh(people, b"9", b"4") is None


def test_a_client_that_lost_the_answer_gets_another_token_within_ten_seconds(people: People, session: UUID) -> None:
    refresh(people, b"1", b"2")
    people.conn.execute(
        "update private.refresh_tokens set used_at = now() - interval '10 seconds' where used_at is not null"
    )
    assert refresh(people, b"1", b"3")["session_id"] == session
    assert refresh(people, b"2", b"4") and refresh(people, b"3", b"5")


def test_a_token_used_again_later_was_stolen_and_ends_the_whole_session(people: People, session: UUID) -> None:
    refresh(people, b"1", b"2")
    people.conn.execute(
        "update private.refresh_tokens set used_at = now() - interval '11 seconds' where used_at is not null"
    )
    assert refresh(people, b"1", b"3") is None
    assert not alive(people, session)
    assert refresh(people, b"2", b"4") is None


def test_a_replayed_token_does_not_live_longer_by_being_used_again(people: People, session: UUID) -> None:
    refresh(people, b"1", b"2")
    people.conn.execute(
        "update private.refresh_tokens set used_at = now() - interval '9 seconds' where used_at is not null"
    )
    refresh(people, b"1", b"3")
    row = people.one("select now() - used_at as ago from private.refresh_tokens where token_hash = %s", b"1" * 32)
    assert row["ago"].total_seconds() == 9


def test_an_expired_token_refreshes_nothing_and_is_swept(people: People, session: UUID) -> None:
    refresh(people, b"1", b"2")
    people.conn.execute(
        "update private.refresh_tokens set expires_at = now() - interval '1 s' where token_hash = %s", [b"1" * 32]
    )
    assert refresh(people, b"1", b"3") is None
    assert alive(people, session) and refresh(people, b"2", b"3")
    assert people.one("select from private.refresh_tokens where token_hash = %s", b"1" * 32) is None


@pytest.mark.parametrize("change", ["deleted_at = now()", "banned_until = now() + interval '1 h'"])
def test_a_deleted_or_banned_account_gets_no_token(people: People, session: UUID, change: str) -> None:
    people.conn.execute("reset role")
    people.conn.execute(f"update auth.users set {change} where id = %s", [people.ids["ada"]])
    people.conn.execute("set role postgres")
    assert refresh(people, b"1", b"2") is None


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "login_session_refresh") == {"spendai_auth"}


def test_twelve_refreshes_at_once_all_stay_in_one_living_session(own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as conn:
        (user,) = conn.execute("select local_auth.create_user('ada@acme.test', %s)", [HASH]).fetchone()
        (session,) = conn.execute("select app.login_session_start(%s, %s, null, null)", [user, b"1" * 32]).fetchone()

    def run(n: int) -> tuple[Any, ...]:
        with psycopg.connect(own_dsn) as conn:
            return conn.execute(REFRESH, [b"1" * 32, bytes([n]) * 32]).fetchone()

    assert set(side_by_side(*[partial(run, n) for n in range(12)])) == {(session, user, "ada@acme.test")}
