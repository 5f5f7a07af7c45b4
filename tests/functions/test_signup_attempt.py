"""app.signup_attempt: sign-ups are counted per address."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from checks import executors

ATTEMPT = "select app.signup_attempt(%s) as seconds"


def attempt(people, address):
    with people.as_role("spendai_auth"):
        return people.one(ATTEMPT, address)["seconds"]


def test_the_fifty_first_from_one_address_has_to_wait_and_other_addresses_do_not(people):
    assert [attempt(people, "192.0.2.1") for _ in range(50)] == [0] * 50
    assert 800 < attempt(people, "192.0.2.1") <= 900
    assert attempt(people, "192.0.2.2") == 0


def test_after_a_quarter_of_an_hour_it_goes_on_and_old_rows_are_gone(people):
    for _ in range(51):
        attempt(people, "192.0.2.1")
    people.conn.execute("update private.signup_attempts set at = at - interval '15 minutes 1 second'")
    assert attempt(people, "192.0.2.1") == 0
    assert people.one("select count(*) as n from private.signup_attempts")["n"] == 1


def test_many_at_once_are_counted_one_by_one(own_dsn):
    def one(_):
        with psycopg.connect(own_dsn) as conn:
            return conn.execute(ATTEMPT, ["192.0.2.1"]).fetchone()[0]

    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(one, range(64)))
    assert waits.count(0) == 50


def test_only_sign_in_itself_may_run_it(db):
    assert executors(db, "signup_attempt") == {"spendai_auth"}
