"""app.check_keys: whether a key would open a call, without opening one."""

from __future__ import annotations

import json

import psycopg
import pytest
from checks import executors
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


def test_only_the_gateway_may_ask(db: psycopg.Connection) -> None:
    assert executors(db, "check_keys") == {"spendai_proxy"}
