"""app.key_generations: one key with what each of its generations cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from checks import executors
from people import People
from spending import PRICE, another_key, days_ago, spent

from webapp.secrets.proxy_keys import new_key

GENERATIONS = "select * from app.key_generations(%s, %s, %s, %s, %s)"
PERIOD = (days_ago(7), days_ago(-1), days_ago(15), days_ago(7))


def test_each_generation_has_its_spend_its_times_and_its_refusals_and_they_are_added_up(people: People) -> None:
    old, new = people.keys["ada"].id, new_key()
    another_key(people, "search")
    with people.as_("ada"):
        people.one("select app.key_rotate(%s, %s, %s, %s, 3600)", old, new.id, new.prefix, new.hash)
    for days in (0, 10, 10, 100):
        spent(people, at=days_ago(days))
    spent(people, at=days_ago(10), outcome="no_usage", usage=None)
    spent(people, api_key_id=str(new.id))
    spent(people, api_key_id=str(new.id), model="unheard-of", model_requested="unheard-of")
    today = people.one("select (now() at time zone 'utc')::date as day")["day"]
    for day, calls in ((today, 3), (today - timedelta(days=90), 5)):
        people.conn.execute(
            "insert into public.key_refusals values (%s, %s, %s, %s)", [people.orgs["ada"], old, day, calls]
        )
    price = Decimal(PRICE)
    with people.as_("dev"):
        newest, oldest = people.all(GENERATIONS, old, *PERIOD)
        assert people.all(GENERATIONS, new.id, *PERIOD) == [newest, oldest]
    assert (newest["generation"], newest["id"], oldest["generation"], oldest["id"]) == (2, new.id, 1, old)
    assert (oldest["calls"], oldest["cost"], oldest["cost_before"], oldest["change"]) == (1, price, 2 * price, -price)
    assert (oldest["unknown_before"], newest["unknown_before"], newest["all_unknown_before"]) == (1, 0, 1)
    assert (oldest["calls_ever"], oldest["cost_ever"]) == (5, 4 * price)
    assert (newest["calls_ever"], newest["unknown_ever"], newest["cost_ever"]) == (2, 1, price)
    assert newest["until"] is None and oldest["until"] is not None and newest["created_by"] == "ada@acme.test"
    assert (oldest["refused"], newest["refused"]) == (3, 0)
    for row in (newest, oldest):
        assert (row["all_calls"], row["all_unknown"], row["all_cost"]) == (3, 1, 2 * price)
        assert (row["all_before"], row["all_change"], row["all_refused"]) == (2 * price, 0, 3)
        assert row["all_last_refused"] == today
        assert (row["all_calls_ever"], row["all_unknown_ever"], row["all_cost_ever"]) == (7, 2, 5 * price)


def test_a_key_that_was_never_rotated_is_its_only_generation(people: People) -> None:
    with people.as_("ada"):
        (only,) = people.all(GENERATIONS, people.keys["ada"].id, *PERIOD)
    assert (only["generation"], only["cost_ever"], only["all_last_refused"], only["all_refused"]) == (1, 0, None, 0)


def test_eve_and_nobody_find_none_of_acme(people: People) -> None:
    with people.as_("eve"):
        for key in (people.keys["ada"].id, uuid4()):
            assert people.all(GENERATIONS, key, *PERIOD) == []
    with people.as_("nobody"):
        people.refused("42501", GENERATIONS, people.keys["ada"].id, *PERIOD)
    assert executors(people.conn, "key_generations") == {"authenticated"}
