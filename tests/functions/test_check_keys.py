"""app.check_keys: whether a key would open a call, without opening one."""

from __future__ import annotations

import json

import psycopg
import pytest
from checks import executors, rows_read
from people import People


def outcomes(people: People, *hashes: str) -> list[str]:
    keys = [{"n": n, "key_hash": each} for n, each in enumerate(hashes)]
    with people.as_role("spendai_proxy"):
        rows = people.all("select * from app.check_keys(%s::jsonb) order by n", json.dumps(keys))
    return [row["outcome"] for row in rows]


def test_each_key_of_a_batch_gets_its_own_answer_and_no_call_is_opened(people: People) -> None:
    good = people.open_message("ada")["key_hash"]
    assert outcomes(people, "00" * 32, good, good) == ["invalid_key", "valid", "valid"]
    assert people.one("select count(*) as n from public.usage_logs")["n"] == 0


@pytest.mark.parametrize(("table", "change"), [
    ("api_keys", "revoked_at = now()"), ("api_keys", "expires_at = clock_timestamp()"),
    ("api_keys", "expires_at = now() + interval '1 h'"), ("projects", "archived_at = now()"),
])  # fmt: skip
def test_a_key_is_judged_as_when_it_opens_a_call(people: People, table: str, change: str) -> None:
    people.conn.execute(f"update public.{table} set {change}")
    message = people.open_message("ada")
    opened = people.open_calls(message)[0]["outcome"]
    assert outcomes(people, message["key_hash"]) == ["valid" if opened == "opened" else opened]


def test_a_key_is_found_by_its_index_also_by_a_plan_made_while_there_were_few(people: People) -> None:
    good = people.open_message("ada")["key_hash"]
    for _ in range(8):  # from the sixth run on a statement uses its kept plan
        outcomes(people, good)
    people.conn.execute(
        "insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash)"
        " select gen_random_uuid(), %s, %s, n::text, '12345678', sha256(n::text::bytea) from generate_series(1, 500) n",
        [people.orgs["ada"], people.projects["ada"]],
    )
    before = rows_read(people, "public.api_keys")
    assert outcomes(people, good) == ["valid"]
    assert rows_read(people, "public.api_keys") - before < 5


def test_only_the_gateway_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "check_keys") == {"spendai_proxy"}
