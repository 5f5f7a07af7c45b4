"""app.key_page: keys with their spend, filtered, searched, sorted, page by page."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from checks import executors
from people import People
from spending import PRICE, another_key, days_ago, spent

from webapp.secrets.proxy_keys import new_key

PAGE = "select * from app.key_page(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
PERIOD = (days_ago(7), days_ago(-1), days_ago(15), days_ago(7))


def page(people: People, who: str = "ada", search: str = "", sort: str = "", offset: int = 0, limit: int | None = 100,
         period: tuple[Any, ...] = PERIOD, **filters: list[Any]) -> list[dict[str, Any]]:  # fmt: skip
    given = json.dumps(filters, default=str)
    with people.as_(who):
        return people.all(PAGE, *period, given, search, sort, offset, limit)


def ids(people: People, **words: Any) -> list[UUID]:
    return [row["id"] for row in page(people, **words)]


def test_each_key_has_its_spend_of_the_period_beside_that_of_the_one_before(people: People) -> None:
    _, key = another_key(people, "search")
    spent(people)
    spent(people, model="unheard-of", model_requested="unheard-of")
    for _ in range(3):
        spent(people, at=days_ago(10))
    spent(people, at=days_ago(10), outcome="no_usage", usage=None)
    found = {row["id"]: row for row in page(people)}
    mine, other = found[people.keys["ada"].id], found[key]
    assert (mine["calls"], mine["unknown_calls"], mine["cost"]) == (2, 1, Decimal(PRICE))
    assert (mine["unknown_before"], other["unknown_before"]) == (1, 0)
    assert (mine["cost_before"], mine["change"]) == (3 * Decimal(PRICE), -2 * Decimal(PRICE))
    assert (other["calls"], other["cost"], other["cost_before"], other["last_used_at"]) == (0, 0, 0, None)
    for row in found.values():
        assert (row["all_keys"], row["all_calls"], row["all_unknown"]) == (2, 2, 1)
        assert (row["all_cost"], row["all_before"]) == (Decimal(PRICE), 3 * Decimal(PRICE))
        assert row["all_unknown_before"] == 1


def test_without_a_period_there_are_no_sums_and_without_another_no_change(people: People) -> None:
    spent(people)
    (row,) = page(people, period=(None,) * 4)
    assert (row["calls"], row["cost"], row["change"], row["all_cost"]) == (0, None, None, None)
    (row,) = page(people, period=(*PERIOD[:2], None, None))
    assert (row["cost"], row["cost_before"], row["change"]) == (Decimal(PRICE), None, None)
    assert row["unknown_before"] is row["all_unknown_before"] is None


def test_active_keys_come_first_then_the_newest_and_a_rotated_one_names_its_successor(people: People) -> None:
    old, new = people.keys["ada"].id, new_key()
    _, revoked = another_key(people, "search")
    with people.as_("ada"):
        people.conn.execute("select app.key_rotate(%s, %s, %s, %s, 3600)", [old, new.id, new.prefix, new.hash])
        people.conn.execute("select app.key_revoke(%s)", [revoked])
    found = page(people)
    assert found[-1]["id"] == revoked and found[-1]["state"] == "revoked"
    assert {row["id"]: row["replaced_by"] for row in found} == {old: new.id, new.id: None, revoked: None}
    assert {row["id"]: row["rotated_from"] for row in found} == {old: None, new.id: old, revoked: None}


def test_filters_and_search(people: People) -> None:
    project, key = another_key(people, "search")
    mine = people.keys["ada"].id
    people.conn.execute("update public.api_keys set created_by = %s, note = 'The nightly Batch' where id = %s",
                        [people.ids["dev"], key])  # fmt: skip
    spent(people)
    assert ids(people, project=[project]) == ids(people, person=[people.ids["dev"]]) == ids(people, key=[key]) == [key]
    assert ids(people, used=["no"]) == [key]
    assert ids(people, state=["revoked"]) == ids(people, project=["nonsense"]) == []
    assert ids(people, search="MAI", project=[people.projects["ada"]]) == [mine]
    assert ids(people, search="nightly batch") == [key]
    assert ids(people, search=people.keys["ada"].key) == ids(people, search=people.keys["ada"].prefix) == [mine]
    assert ids(people, search=str(mine)[:13]) == [mine]
    assert ids(people, search="100%") == []


def test_every_column_sorts_both_ways_and_keys_without_a_value_come_last(people: People) -> None:
    _, second = another_key(people, "zebra")
    _, third = another_key(people, "Aardvark")
    first = people.keys["ada"].id
    for nth, key in enumerate((first, second, third)):
        people.conn.execute("update public.api_keys set name = %s, created_at = now() - %s where id = %s",
                            ["bca"[nth], timedelta(days=nth), key])  # fmt: skip
    spent(people)
    spent(people, at=days_ago(2), api_key_id=str(second), usage={"prompt_tokens": 90000, "completion_tokens": 0})
    assert ids(people, sort="name") == [third, first, second] == ids(people, sort="-name")[::-1]
    assert ids(people, sort="project") == [third, first, second] == ids(people, sort="-project")[::-1]
    assert ids(people, sort="-cost") == [second, first, third] == ids(people, sort="cost")[::-1]
    assert ids(people, sort="-change") == [second, first, third]
    assert ids(people, sort="created_at") == [third, second, first]
    assert ids(people, sort="-last_used_at") == [first, second, third]
    assert ids(people, sort="last_used_at") == [second, first, third]
    assert ids(people, sort="-calls", offset=2) == [third]
    assert ids(people, sort="name", offset=1, limit=1) == [first]


def lookups(people: People, table: str) -> int:
    """How many times this session has looked something up by an index of a table, or of its partitions."""
    query = "select coalesce(sum(idx_scan), 0)::int as n from pg_stat_xact_user_tables where relname ~ %s"
    return people.one(query, f"^{table}")["n"]


def test_of_ten_thousand_keys_the_last_call_is_looked_up_for_those_of_the_page_only(people: People) -> None:
    people.conn.execute("""insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash, created_at)
        select gen_random_uuid(), %s, %s, 'key ' || n, 'sk-spend-' || n, sha256(n::text::bytea),
            now() - n * interval '1 min' from generate_series(1, 10000) n""",
        [people.orgs["ada"], people.projects["ada"]])  # fmt: skip
    spent(people)
    months = people.one("select count(*) as n from pg_inherits where inhparent = 'public.usage_logs'::regclass")["n"]
    before = lookups(people, "usage_logs")
    found = page(people, offset=100)
    assert lookups(people, "usage_logs") - before <= 200 * months  # and what is open, in both periods
    assert len(found) == 100 and found[0]["name"] == "key 100"
    assert (found[0]["all_keys"], found[0]["all_cost"]) == (10001, Decimal(PRICE))
    assert [row["name"] for row in page(people, search="key 10000")] == ["key 10000"]


def test_calls_that_were_refused_today_are_told_of_each_key(people: People) -> None:
    columns = "(org_id, api_key_id, day, calls)"
    add = f"insert into public.key_refusals {columns} select org_id, id, %s, %s from public.api_keys"
    today = people.one("select (now() at time zone 'utc')::date as day")["day"]
    for day, calls in ((today - timedelta(days=1), 9), (today, 214)):
        people.conn.execute(add, [day, calls])
    another_key(people, "search")
    found = {row["id"]: row["refused_today"] for row in page(people, "dev")}
    assert found.pop(people.keys["ada"].id) == 214 and list(found.values()) == [0]


def test_eve_and_nobody_see_no_key_of_acme(people: People) -> None:
    assert ids(people, who="eve") == [people.keys["eve"].id]
    assert ids(people, who="eve", project=[people.projects["ada"]]) == []
    assert ids(people, who="eve", key=[people.keys["ada"].id, uuid4()]) == []
    with people.as_("nobody"):
        people.refused("42501", PAGE, *PERIOD, "{}", "", "", 0, 1)
    assert executors(people.conn, "key_page") == {"authenticated"}
