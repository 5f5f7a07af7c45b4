"""app.filter_sql: a filter means the same in app.calls_page and in app.sums."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from checks import executors
from ledgers import DAY, add_call, add_open_call, sums
from people import People

CALLS = "select * from app.calls_page(%s, %s, %s::jsonb, null, null, 100)"
SUMS = "select coalesce(sum(calls), 0) as calls from app.sums(%s, %s, '{}', %s::jsonb, 'UTC', null, null)"
ALL = (DAY.replace(hour=0) - timedelta(days=3), DAY.replace(hour=0) + timedelta(days=4))


def found(
    people: People, filters: dict[str, list[str]], who: str = "ada", period: tuple[datetime, datetime] = ALL
) -> set[Any]:
    """Ids of the calls that fit. Asserts that app.sums counts as many, from daily totals and from the calls."""
    with people.as_(who):
        rows = people.all(CALLS, *period, json.dumps(filters))
        part = period if period != ALL else (ALL[0], ALL[1] - timedelta(microseconds=1))
        for asked in (period, part):
            assert people.one(SUMS, *asked, json.dumps(filters))["calls"] == len(rows)
    return {row["id"] for row in rows}


def test_without_a_filter_it_is_the_whole_period_of_the_own_organization(ledger: People) -> None:
    assert len(found(ledger, {})) == sums(ledger)["calls"]
    assert len(found(ledger, {}, "dev")) == sums(ledger)["calls"]
    assert len(found(ledger, {}, "eve")) == 2


def test_the_period_includes_its_beginning_and_not_its_end(people: People) -> None:
    first, last = add_call(people, "ada", DAY), add_call(people, "ada", DAY + timedelta(hours=1))
    assert found(people, {}, period=(DAY, DAY + timedelta(hours=1))) == {first}
    assert found(people, {}, period=(DAY + timedelta(microseconds=1), DAY + timedelta(hours=2))) == {last}


@pytest.mark.parametrize(("words", "changes", "other"), [
    ({"model": ["gpt-5"]}, {"model": "gpt-5"}, {"model": "gpt-4o"}),
    ({"model": ["gpt-5"]}, {"model": None, "model_requested": "gpt-5"},
     {"model": "gpt-4o", "model_requested": "gpt-5"}),
    ({"model": [""]}, {"model": None, "model_requested": None}, {}),
    ({"endpoint": ["/v1/embeddings"]}, {"endpoint": "/v1/embeddings"}, {}),
    ({"status": ["429"]}, {"status_code": 429}, {}),
    ({"status": ["error"]}, {"status_code": 400}, {"status_code": 399}),
    ({"cost_status": ["free", "error"]}, {"cost": 0, "cost_status": "free"}, {}),
    ({"end_user": ["u1"]}, {"end_user": "u1"}, {"end_user": "u2"}),
    ({"end_user": ["u1"]}, {"end_user": "u1"}, {"end_user": None}),
    ({"tag": ["team=search"]}, {"tags": {"team": "search", "env": "prod"}}, {"tags": {"team": "ads"}}),
    ({"tag": ["team"]}, {"tags": {"team": ""}}, {"tags": {"env": "team"}}),
    ({"tag": ["a=b=c"]}, {"tags": {"a": "b=c"}}, {"tags": {"a": "b"}}),
    ({"model": ["gpt-5"], "status": ["429"]}, {"model": "gpt-5", "status_code": 429}, {"model": "gpt-5"}),
    ({"service_tier": ["flex"]}, {"service_tier": "flex"}, {"service_tier": None}),
    ({"service_tier": [""]}, {"service_tier": None}, {"service_tier": "flex"}),
    ({"status": ["", "429"]}, {"status_code": None}, {}),
    ({"end_user": ["", "u2"]}, {"end_user": None}, {"end_user": "u1"}),
    ({"tag": ["", "team=ads"]}, {"tags": {}}, {"tags": {"team": "web"}}),
    ({"not_model": ["gpt-5", ""]}, {"model": "gpt-4o"}, {"model": None, "model_requested": None}),
    ({"not_endpoint": ["/v1/embeddings"]}, {}, {"endpoint": "/v1/embeddings"}),
    ({"not_service_tier": ["flex"]}, {"service_tier": None}, {"service_tier": "flex"}),
    ({"not_status": ["error"]}, {"status_code": None}, {"status_code": 429}),
    ({"not_cost_status": ["error", "in_doubt"]}, {}, {"cost": 0, "cost_status": "error"}),
    ({"not_end_user": ["u1"]}, {"end_user": None}, {"end_user": "u1"}),
    ({"not_end_user": [""]}, {"end_user": "u1"}, {"end_user": None}),
    ({"not_tag": ["team=ads", "env"]}, {"tags": {}}, {"tags": {"env": "live", "team": "web"}}),
    ({"not_tag": ["team"]}, {"tags": {"env": "live"}}, {"tags": {"env": "live", "team": "web"}}),
    ({"model": ["gpt-5"], "not_status": ["429"]}, {"model": "gpt-5"}, {"model": "gpt-5", "status_code": 429}),
    ({"end_user": ["u1"], "not_model": ["gpt-5"]}, {"end_user": "u1"}, {"end_user": "u1", "model": "gpt-5"}),
    ({"tag": ["team"], "not_tag": ["team=ads"]}, {"tags": {"team": "web"}}, {"tags": {"team": "ads"}}),
    ({"not_project": ["x"], "not_key": ["x"], "not_person": ["x"], "model": ["gpt-5"]}, {"model": "gpt-5"}, {}),
])  # fmt: skip
def test_each_filter_finds_what_it_says_and_nothing_else(
    people: People, words: dict[str, list[str]], changes: dict[str, Any], other: dict[str, Any]
) -> None:
    wanted = add_call(people, "ada", **changes)
    add_call(people, "ada", **other)
    add_call(people, "eve", **changes)
    assert found(people, words) == {wanted}


def test_projects_and_keys_are_found_by_their_ids(ledger: People) -> None:
    both = len(found(ledger, {}))
    here = len(found(ledger, {"project": [str(ledger.projects["ada"])]}))
    assert 0 < here < both
    assert len(found(ledger, {"key": [str(ledger.keys["ada"].id), str(uuid4())]})) == both


def test_a_person_is_who_made_the_key(people: People) -> None:
    people.conn.execute(
        "insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash, created_by)"
        " select gen_random_uuid(), org_id, project_id, 'dev''s', 'sk-spend-dev', sha256('dev'), %s"
        " from public.api_keys where id = %s", [people.ids["dev"], people.keys["ada"].id],
    )  # fmt: skip
    made_by_dev = people.one("select id from public.api_keys where name = 'dev''s'")["id"]
    of_ada, of_dev = add_call(people, "ada"), add_call(people, "ada", api_key_id=made_by_dev)
    ada, dev = str(people.ids["ada"]), str(people.ids["dev"])
    assert found(people, {"person": [dev]}) == found(people, {"not_person": [ada]}) == {of_dev}
    assert found(people, {"person": [ada, dev]}) == {of_ada, of_dev}
    assert found(people, {"person": [dev]}, "eve") == set()
    add_call(people, "eve")
    assert found(people, {"person": [str(people.ids["eve"])]}) == set()


def test_leaving_out_a_project_or_a_key_keeps_all_others(ledger: People) -> None:
    both = found(ledger, {})
    here = found(ledger, {"project": [str(ledger.projects["ada"])]})
    assert found(ledger, {"not_project": [str(ledger.projects["ada"])]}) == both - here != both
    assert found(ledger, {"not_key": [str(ledger.keys["ada"].id)]}) == set()


def test_ids_of_another_organization_a_mistyped_one_or_an_unknown_word_find_nothing(ledger: People) -> None:
    for words in ({"project": [str(ledger.projects["eve"])]}, {"key": [str(ledger.keys["eve"].id)]}, {"project": ["x"]},
                  {"status": ["ok"]}, {"model": []}, {"tag": ["team"]}):  # fmt: skip
        assert found(ledger, words) == set()


def test_calls_in_doubt_are_found_as_such(people: People) -> None:
    doubtful = add_open_call(people, "ada", deadline_at=datetime.now(UTC) - timedelta(hours=1))
    add_open_call(people, "ada")
    add_call(people, "ada")
    assert found(people, {"cost_status": ["in_doubt"]}) == {doubtful}


def test_only_calls_of_the_current_books_are_found(people: People) -> None:
    add_call(people, "ada")
    real = add_call(people, "ada", upstream="openai")
    people.conn.execute("update public.organizations set books = 'openai'")
    assert found(people, {}) == {real}


def test_somebody_without_organization_finds_nothing_and_nobody_may_not_ask(ledger: People) -> None:
    ledger.sign_up("lone", "lone@nowhere.test")
    assert found(ledger, {}, "lone") == set()
    with ledger.as_("nobody"):
        ledger.refused("42501", "select app.filter_sql('{}', false)")


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "filter_sql") == {"authenticated"}
