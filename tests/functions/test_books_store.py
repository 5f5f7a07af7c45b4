"""app.books_store: one fetch of OpenAI's books, whole or not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from checks import executors
from openai_books import DAY
from people import People

STORE = "select app.books_store(%s, %s::jsonb) as id"
TOMORROW = DAY + timedelta(days=1)
COST = {"day": str(DAY), "openai_project_id": "proj_a", "openai_key_id": "key_1", "line_item": "o3, input",
        "quantity": "1000", "quantity_unit": "tokens",
        "amount": "0.002000000000000000000000000000000000001"}  # fmt: skip
USAGE = {"path": "completions", "start_at": f"{DAY}T00:00:00+00:00", "width": "1d", "openai_key_id": "key_1",
         "model": "o3", "batch": False, "service_tier": "default", "requests": 2,
         "counts": {"input_tokens": 1000}}  # fmt: skip
PROJECT = {"id": "proj_a", "name": "Chat", "status": "active", "created_at": "2026-01-01T00:00:00+00:00"}
KEY = {
    "id": "key_1",
    "openai_project_id": "proj_a",
    "name": "main",
    "ending": "xyzA",
    "owner_kind": "user",
    "owner": "Ada",
}
WHOLE = {
    "source": "api", "grain": "key", "from_day": str(DAY), "until_day": str(DAY + timedelta(days=2)), "requests": 9,
    "days": [{"day": str(DAY), "whole": True}, {"day": str(TOMORROW), "whole": False}],
    "costs": [COST, COST | {"line_item": "zero", "amount": "0E-6176", "quantity": None}],
    "usage": [USAGE], "projects": [PROJECT], "keys": [KEY],
}  # fmt: skip
TABLES = ("openai_days", "openai_cost_lines", "openai_usage_lines", "openai_projects", "openai_keys", "reconciled_days")


def store(people: People, made: dict[str, Any], who: str = "ada") -> Any:
    return people.one(STORE, people.orgs[who], json.dumps(made))["id"]


def counts(people: People) -> list[int]:
    return [people.one(f"select count(*) as n from public.{table}")["n"] for table in TABLES]


def test_everything_of_a_fetch_is_stored_and_its_days_are_compared(people: People) -> None:
    fetch = store(people, WHOLE)
    assert counts(people) == [2, 2, 1, 1, 1, 2]
    days = people.all("select * from public.openai_days order by day")
    assert [(day["day"], day["amount"], day["lines"], day["whole"]) for day in days] == [
        (DAY, Decimal(COST["amount"]), 2, True), (TOMORROW, 0, 0, False),
    ]  # fmt: skip
    assert {row["fetch_id"] for row in people.all("select fetch_id from public.openai_cost_lines")} == {fetch}
    zero = people.one("select scale(amount) as scale from public.openai_cost_lines where line_item = 'zero'")
    assert zero["scale"] == 0
    row = people.one("select * from public.openai_fetches")
    assert (row["requests"], row["error"], row["fetched_by"], row["grain"]) == (9, None, None, "key")


def test_a_failed_fetch_leaves_only_its_own_row(people: People) -> None:
    store(people, WHOLE | {"error": "OpenAI has a fault"})
    assert counts(people) == [0] * 6
    assert people.one("select error from public.openai_fetches")["error"] == "OpenAI has a fault"


@pytest.mark.parametrize("wrong", [
    {"costs": [COST, COST | {"amount": None}]}, {"costs": [COST | {"amount": "a lot"}]},
    {"costs": [COST | {"day": "x"}]},
    {"usage": [USAGE | {"width": "1h"}]}, {"days": [{"day": str(DAY)}]}, {"until_day": str(DAY)}, {"source": "guess"},
    {"projects": [{"name": "x"}]},
])  # fmt: skip
def test_what_is_wrong_in_one_place_is_not_stored_at_all(people: People, wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r".+"), people.conn.transaction():
        store(people, WHOLE | wrong)
    assert counts(people) == [0] * 6
    assert people.all("select from public.openai_fetches") == []


def test_projects_and_keys_are_kept_as_last_seen_and_deleted_ones_stay(people: People) -> None:
    store(people, WHOLE)
    renamed = PROJECT | {"name": "Chat 2", "status": "archived"}
    store(people, WHOLE | {"projects": [renamed], "keys": [KEY | {"id": "key_2"}]})
    (project,) = people.all("select * from public.openai_projects")
    assert (project["name"], project["status"]) == ("Chat 2", "archived")
    assert [row["id"] for row in people.all("select id from public.openai_keys order by seen_at")] == ["key_1", "key_2"]


def test_a_fetch_links_the_key_whose_ending_it_shows(people: People) -> None:
    people.conn.execute(
        "insert into public.provider_key_versions (org_id, last4) values (%s, 'xyzA')", [people.orgs["ada"]]
    )
    store(people, WHOLE)
    assert people.one("select openai_key_id from public.key_links")["openai_key_id"] == "key_1"


def test_two_organizations_with_the_same_ids_of_openais_have_rows_of_their_own(people: People) -> None:
    store(people, WHOLE)
    store(people, WHOLE | {"projects": [PROJECT | {"name": "Evil's"}]}, "eve")
    names = {row["org_id"]: row["name"] for row in people.all("select * from public.openai_projects")}
    assert names == {people.orgs["ada"]: "Chat", people.orgs["eve"]: "Evil's"}
    for who in ("ada", "eve"):
        with people.as_(who):
            assert {row["org_id"] for row in people.all("select org_id from public.openai_cost_lines")} == {
                people.orgs[who]
            }


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "books_store") == set()
