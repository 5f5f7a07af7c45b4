"""What runs with every request or log-in of a person reads a few rows by an index, however many rows there are."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from people import People

HASH_32 = "sha256('a')"
FEW = 20  # rows that one call may read of one table
BY_PEOPLE = ("current_org_id()", "admin_org_id()", "me()", "former_member()")
BY_SIGN_IN = (
    "session_end_one({user}, {user})",
    "user_alive({user})",
    f"web_session_load({HASH_32})",
    f"web_session_claim({HASH_32}, 5)",
    f"web_session_renew({HASH_32}, null)",
    f"web_session_save({HASH_32}, '{{{{}}}}', null, 60)",
    f"web_session_start({HASH_32}, {{user}}, '{{{{}}}}', null, 60, null, null)",
    f"web_session_end({HASH_32})",
    f"session_list({{user}}, {HASH_32})",
    "sessions_end_all({user})",
    f"login_attempt({HASH_32}, '203.0.113.5')",
    f"login_succeeded({HASH_32}, '203.0.113.5')",
    f"login_session_start({{user}}, {HASH_32}, null, null)",
    f"login_session_refresh({HASH_32}, sha256('b'))",
    "login_session_alive({user})",
    "login_session_end({user})",
    f"invitation_peek({HASH_32})",
    f"password_reset_peek({HASH_32})",
    "signup_check('new@acme.test', '', null, false)",
)
ROWS = (
    "insert into auth.users (id, email) select gen_random_uuid(), n || '@many.test' from generate_series(1, 2000) n",
    """insert into public.members (user_id, org_id, role, email)
        select u.id, {org}, 'admin', u.email from auth.users u where u.email ~ '^[0-9]+@many.test$'""",
    """insert into public.audit_log (org_id, action, subject_id)
        select {org}, 'key.created', gen_random_uuid() from generate_series(1, 2000)""",
    """insert into private.web_sessions (id_hash, user_id, expires_at)
        select sha256(n::text::bytea), {user}, now() + interval '1 hour' from generate_series(1, 2000) n""",
    """insert into private.login_sessions (user_id) select u.id from auth.users u""",
    """insert into private.refresh_tokens (token_hash, session_id)
        select sha256(s.id::text::bytea), s.id from private.login_sessions s""",
    """insert into private.login_attempts (account_hash, address)
        select sha256(n::text::bytea), '198.51.100.' || n from generate_series(1, 2000) n""",
    """insert into private.password_resets (token_hash, user_id)
        select sha256(n::text::bytea), {user} from generate_series(1, 2000) n""",
    """insert into public.invitations (org_id, email, role, token_hash, created_by) select {org}, 'a@many.test',
        'developer', sha256(n::text::bytea), {user} from generate_series(1, 2000) n""",
)


@pytest.fixture(scope="module")
def filled(shared_conn: psycopg.Connection) -> Iterator[People]:
    """Two thousand rows in each table that the functions read, none of them of the people who ask."""
    with shared_conn.transaction(force_rollback=True):
        people = People(shared_conn)
        user = people.sign_up("other", "other@many.test")
        shared_conn.execute("reset role")  # the superuser: schema auth belongs to another role
        for rows in ROWS:
            shared_conn.execute(rows.format(org=f"'{people.orgs['eve']}'", user=f"'{user}'"))
        shared_conn.execute("analyze auth.users, public.audit_log, public.members, public.invitations")
        shared_conn.execute("analyze private.web_sessions, private.login_sessions, private.refresh_tokens")
        shared_conn.execute("analyze private.login_attempts; set role postgres")
        yield people


@pytest.fixture
def many(filled: People) -> Iterator[People]:
    """The people among these rows; what a test changes is rolled back, and no plan is of an earlier test."""
    with filled.conn.transaction(force_rollback=True):
        filled.conn.execute("discard plans")
        yield filled


def rows_read(people: People) -> dict[str, int]:
    """How many rows this session has read of each table, by an index or without."""
    query = "select relid, seq_tup_read + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables"
    return {row["relid"]: row["n"] for row in people.all(query)}


def read_by(people: People, call: str) -> int:
    """The most rows that a call of a function reads of any table."""
    before = rows_read(people)
    people.conn.execute(f"select * from {call}")
    return max((n - before.get(table, 0) for table, n in rows_read(people).items()), default=0)


@pytest.mark.parametrize("call", BY_PEOPLE)
def test_who_asks_is_found_by_an_index(many: People, call: str) -> None:
    many.sign_up("lone", "lone@nowhere.test")
    for who in ("ada", "lone"):
        with many.as_(who):
            assert read_by(many, f"app.{call}") <= FEW


@pytest.mark.parametrize("call", BY_SIGN_IN)
def test_a_session_is_found_by_an_index(many: People, call: str) -> None:
    with many.as_role("spendai_auth"):
        assert read_by(many, f"app.{call}".format(user=f"'{many.ids['ada']}'::uuid")) <= FEW


def test_the_password_of_an_address_is_found_by_an_index(many: People) -> None:
    with many.as_role("spendai_auth"):
        assert read_by(many, "local_auth.find_login('ada@acme.test')") <= FEW


def test_a_table_that_is_read_whole_is_noticed(many: People) -> None:
    many.conn.execute("drop index public.audit_log_departures")
    with many.as_("ada"):
        assert read_by(many, "app.former_member()") >= 2000
