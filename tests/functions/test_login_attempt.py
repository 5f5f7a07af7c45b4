"""app.login_attempt: failed log-ins are counted per account and address, and per address."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from checks import executors

ATTEMPT = "select app.login_attempt(%s, %s) as seconds"
ADA, DEV = b"a" * 32, b"d" * 32


def attempt(people, account, address):
    with people.as_role("spendai_auth"):
        return people.one(ATTEMPT, account, address)["seconds"]


def test_the_twenty_first_failure_of_an_account_from_one_address_has_to_wait(people):
    assert [attempt(people, ADA, "192.0.2.1") for _ in range(20)] == [0] * 20
    assert 800 < attempt(people, ADA, "192.0.2.1") <= 900
    assert attempt(people, ADA, "192.0.2.2") == 0, "its owner comes in from elsewhere"
    assert attempt(people, DEV, "192.0.2.1") == 0, "others come in from there"


SCANS = """
select coalesce(sum(seq_scan), 0)::integer as n from pg_stat_xact_user_tables
where relname in (
    'login_attempts', 'login_places', 'signup_attempts', 'web_sessions', 'login_sessions', 'refresh_tokens')
"""


@pytest.mark.parametrize("statement", [
    "select app.login_attempt(sha256(%s), '192.0.2.1')",
    "select app.login_succeeded(sha256(%s), '192.0.2.1')",
    "select app.signup_attempt(encode(%s, 'hex'))",
    "select app.web_session_start(sha256(%s), null, '{}', null, 600, null, null)",
    "select app.login_session_start((select id from auth.users limit 1), sha256(%s), null, null)",
])  # fmt: skip
def test_no_log_in_reads_a_whole_table_also_by_a_plan_made_while_it_was_empty(people, statement):
    before = people.one(SCANS)["n"]
    for n in range(8):  # from the sixth run on a statement uses its kept plan
        people.conn.execute(statement, [bytes([n])])
    assert people.one(SCANS)["n"] == before


def test_an_address_that_tries_many_accounts_has_to_wait(people):
    assert [attempt(people, bytes([n]) * 32, "192.0.2.1") for n in range(100)] == [0] * 100
    assert attempt(people, ADA, "192.0.2.1") > 0
    assert attempt(people, ADA, "192.0.2.2") == 0


def test_nobody_in_an_office_locks_out_those_who_logged_in_from_it_before(people):
    with people.as_role("spendai_auth"):
        people.one("select app.login_succeeded(%s, '192.0.2.1')", ADA)
    assert [attempt(people, bytes([n]) * 32, "192.0.2.1") for n in range(150, 250)] == [0] * 100
    assert [attempt(people, ADA, "192.0.2.1") for _ in range(20)] == [0] * 20
    assert attempt(people, ADA, "192.0.2.1") > 0, "her own limit stays"
    assert attempt(people, DEV, "192.0.2.1") > 0, "never logged in from here"
    people.conn.execute("delete from private.login_attempts where account_hash = %s", [ADA])
    people.conn.execute("update private.login_places set at = at - interval '90 days 1 second'")
    assert attempt(people, ADA, "192.0.2.1") > 0, "too long ago"


def test_after_a_quarter_of_an_hour_it_goes_on_and_old_tries_are_gone(people):
    for _ in range(21):
        attempt(people, ADA, "192.0.2.1")
    people.conn.execute("update private.login_attempts set at = at - interval '15 minutes 1 second'")
    assert attempt(people, ADA, "192.0.2.1") == 0
    assert people.one("select count(*) as n from private.login_attempts")["n"] == 1


def test_many_tries_at_once_are_counted_one_by_one(own_dsn):
    def one(_):
        with psycopg.connect(own_dsn) as conn:
            return conn.execute(ATTEMPT, [ADA, "192.0.2.1"]).fetchone()[0]

    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(one, range(32)))
    assert waits.count(0) == 20


@pytest.mark.parametrize("function", ["login_attempt", "login_succeeded"])
def test_only_sign_in_itself_may_run_it(db, function):
    assert executors(db, function) == {"spendai_auth"}
