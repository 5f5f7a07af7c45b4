"""app.password_reset_use: a new password by a one-time link."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import psycopg
import pytest
from checks import executors, side_by_side
from people import HASH, People

USE = "select app.password_reset_use(%s, %s) as person"
NEW = "$2a$04$" + "b" * 53
TOKEN = b"t" * 32


@pytest.fixture
def linked(people: People) -> People:
    """Ada has two open links, a browser session and a log-in."""
    for token in (TOKEN, b"u" * 32):
        people.one("select app.password_reset_create('ada@acme.test', %s)", token)
    people.one("select app.web_session_start(%s, %s, '{}', null, 3600, null, null)", b"w" * 32, people.ids["ada"])
    people.one("select app.login_session_start(%s, %s, null, null)", people.ids["ada"], b"r" * 32)
    return people


def use(people: People, token: bytes, hashed: str = NEW) -> UUID | None:
    with people.as_role("spendai_auth"):
        return people.one(USE, token, hashed)["person"]


def password(people: People) -> str:
    return people.one("select hash from local_auth.find_login('ada@acme.test')")["hash"]


def test_it_sets_the_password_and_signs_the_person_out_everywhere(linked: People) -> None:
    assert use(linked, TOKEN) == linked.ids["ada"]
    assert password(linked) == NEW
    assert linked.all("select * from app.web_session_load(%s)", b"w" * 32) == []
    assert linked.all("select * from app.login_session_refresh(%s, %s)", b"r" * 32, b"s" * 32) == []


def test_a_link_works_once_and_ends_all_other_links_of_the_person(linked: People) -> None:
    use(linked, TOKEN)
    for token in (TOKEN, b"u" * 32):
        assert use(linked, token, HASH) is None
    assert password(linked) == NEW


def test_an_expired_or_wrong_link_changes_nothing(linked: People) -> None:
    assert use(linked, b"x" * 32) is use(linked, None) is None
    linked.conn.execute("update private.password_resets set expires_at = now()")
    assert use(linked, TOKEN) is None
    assert password(linked) == HASH
    assert len(linked.all("select * from app.web_session_load(%s)", b"w" * 32)) == 1


@pytest.mark.parametrize("hashed", ["correct horse battery staple", None])
def test_what_is_no_hash_is_refused_and_the_link_stays_good(linked: People, hashed: str | None) -> None:
    with linked.as_role("spendai_auth"):
        linked.refused("22023", USE, TOKEN, hashed)
    assert use(linked, TOKEN) == linked.ids["ada"]


def test_only_sign_in_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "password_reset_use") == {"spendai_auth"}


def test_a_link_clicked_twice_at_once_works_once(own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as conn:
        (user,) = conn.execute("select local_auth.create_user('ada@acme.test', %s)", [HASH]).fetchone()
        conn.execute("select app.password_reset_create('ada@acme.test', %s)", [TOKEN])

    def run(hashed: str) -> UUID | None:
        with psycopg.connect(own_dsn) as conn:
            return conn.execute(USE, [TOKEN, hashed]).fetchone()[0]

    answers = side_by_side(partial(run, HASH), partial(run, NEW))
    assert sorted(map(str, answers)) == sorted(["None", str(user)])
