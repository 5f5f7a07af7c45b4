"""app.count_refusals: how many calls of a known key were refused today."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from checks import executors, rows_read
from people import People


def count(people: People, *batches: dict[str, int]) -> list[dict[str, Any]]:
    messages = [{"n": n, "calls": calls} for n, calls in enumerate(batches)]
    with people.as_role("spendai_proxy"):
        return people.all("select * from app.count_refusals(%s::jsonb) order by n", json.dumps(messages))


def counted(people: People) -> list[tuple[Any, ...]]:
    query = "select api_key_id, org_id, day = (now() at time zone 'utc')::date as today, calls from public.key_refusals"
    return [tuple(row.values()) for row in people.all(query + " order by calls")]


def hash_of(people: People, name: str) -> str:
    return people.open_message(name)["key_hash"]


def test_counts_of_all_gateways_add_up_per_key(people: People) -> None:
    ada, eve = hash_of(people, "ada"), hash_of(people, "eve")
    assert count(people, {ada: 200, eve: 3}, {ada: 13}) == [{"n": 0}, {"n": 1}]
    count(people, {ada: 1})
    keys, orgs = people.keys, people.orgs
    assert counted(people) == [(keys["eve"].id, orgs["eve"], True, 3), (keys["ada"].id, orgs["ada"], True, 214)]


def test_a_key_is_found_by_its_index_also_by_a_plan_made_while_there_were_few(people: People) -> None:
    ada = hash_of(people, "ada")
    for _ in range(8):  # from the sixth run on a statement uses its kept plan
        count(people, {ada: 1})
    people.conn.execute(
        "insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash)"
        " select gen_random_uuid(), %s, %s, n::text, '12345678', sha256(n::text::bytea) from generate_series(1, 500) n",
        [people.orgs["ada"], people.projects["ada"]],
    )
    before = rows_read(people, "public.api_keys")
    count(people, {ada: 1})
    assert rows_read(people, "public.api_keys") - before < 5


def test_an_invented_key_makes_no_row(people: People) -> None:
    assert count(people, {"00" * 32: 5}) == [{"n": 0}]
    assert counted(people) == []


def test_a_count_is_kept_apart_from_that_of_another_day(people: People) -> None:
    count(people, {hash_of(people, "ada"): 2})
    people.conn.execute("update public.key_refusals set day = day - 1")
    count(people, {hash_of(people, "ada"): 5})
    assert [(row[2], row[3]) for row in counted(people)] == [(False, 2), (True, 5)]


def test_nonsense_is_refused(people: People) -> None:
    with pytest.raises(psycopg.DataError):
        count(people, {"nonsense": 1})


def test_only_the_gateway_counts(db: psycopg.Connection) -> None:
    assert executors(db, "count_refusals") == {"spendai_proxy"}
