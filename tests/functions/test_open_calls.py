"""app.open_calls: the check of the proxy key and the open row, in one statement."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from checks import executors
from people import People

SET_KEY = "select * from app.provider_key_set(%s, %s, 'wxyz', %s, 'f', false)"


def row_of(people: People, message: dict[str, Any]) -> dict[str, Any] | None:
    return people.one("select * from public.usage_logs where id = %s", message["id"])


def outcome(people: People, message: dict[str, Any], install_key: str = "none") -> str:
    return people.open_calls(message, install_key=install_key)[0]["outcome"]


def test_a_good_key_opens_a_row_that_says_whose_call_it_is(people: People) -> None:
    message = people.open_message("ada", stream=True, end_user="user-7", tags={"team": "search"})
    (opened,) = people.open_calls(message)
    assert opened["outcome"] == "opened"
    row = row_of(people, message)
    assert (row["org_id"], row["project_id"]) == (people.orgs["ada"], people.projects["ada"])
    assert (opened["org_id"], opened["project_id"]) == (row["org_id"], row["project_id"])
    assert row["api_key_id"] == opened["api_key_id"] == people.keys["ada"].id
    assert (row["state"], row["upstream"], row["stream"], row["batch"]) == ("open", "sandbox", True, False)
    assert (row["endpoint"], row["method"], row["model_requested"]) == ("/v1/chat/completions", "POST", "gpt-4o-mini")
    assert (row["end_user"], row["tags"]) == ("user-7", {"team": "search"})
    assert (row["cost"], row["cost_status"], row["settled_at"]) == (None, None, None)
    assert row["deadline_at"] - row["started_at"] == timedelta(seconds=3600)


def test_an_unknown_key_opens_nothing_and_tells_nothing(people: People) -> None:
    message = people.open_message("ada", key_hash="00" * 32)
    (refused,) = people.open_calls(message)
    assert refused == dict.fromkeys(refused) | {"n": 0, "outcome": "invalid_key"}
    assert row_of(people, message) is None


@pytest.mark.parametrize(("table", "change", "expected"), [
    ("api_keys", "revoked_at = now()", "revoked_key"), ("api_keys", "expires_at = clock_timestamp()", "expired_key"),
    ("api_keys", "expires_at = now() + interval '1 h'", "opened"),
    ("projects", "archived_at = now()", "archived_project"),
])  # fmt: skip
def test_a_key_that_has_ended_opens_nothing(people: People, table: str, change: str, expected: str) -> None:
    people.conn.execute(f"update public.{table} set {change}")
    message = people.open_message("ada")
    assert outcome(people, message) == expected
    assert (row_of(people, message) is not None) == (expected == "opened")


def test_expiry_is_seen_by_the_clock_not_by_the_start_of_the_transaction(people: People) -> None:
    people.conn.execute("select pg_sleep(0.01)")
    people.conn.execute("update public.api_keys set expires_at = clock_timestamp()")
    assert people.one("select bool_and(expires_at > now()) as later from public.api_keys")["later"]
    assert outcome(people, people.open_message("ada")) == "expired_key"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-61, "clock_skew"), (-30, "opened"), (60, "opened"), (90, "clock_skew")]
)  # each leaves a busy machine half a minute until the database looks at its clock
def test_a_gateway_whose_clock_is_a_minute_off_is_refused(people: People, seconds: int, expected: str) -> None:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    people.conn.execute("select app.ensure_partition(%s)", [at.date()])  # at the beginning of a month it is another one
    message = people.open_message("ada", started_at=at.isoformat())
    assert outcome(people, message) == expected
    assert (row_of(people, message) is not None) == (expected == "opened")


def test_a_call_that_is_there_already_counts_as_opened_and_keeps_its_row(people: People) -> None:
    message = people.open_message("ada")
    assert outcome(people, message) == "opened"
    assert outcome(people, message | {"model": "gpt-5"}) == "opened"
    assert row_of(people, message)["model_requested"] == "gpt-4o-mini"
    assert people.one("select count(*) as n from public.usage_logs")["n"] == 1


@pytest.mark.parametrize(("install_key", "ada", "eve"), [
    ("none", "sandbox", "sandbox"), ("first", "openai", "sandbox"), ("shared", "openai", "openai"),
])  # fmt: skip
def test_the_installs_key_serves_the_first_organization_or_all(
    people: People, install_key: str, ada: str, eve: str
) -> None:
    messages = [people.open_message("ada"), people.open_message("eve")]
    opened = people.open_calls(*messages, install_key=install_key)
    assert [(row["outcome"], row["upstream"]) for row in opened] == [("opened", ada), ("opened", eve)]
    assert [row_of(people, message)["upstream"] for message in messages] == [ada, eve]
    assert {row["provider_key"] for row in opened} == {None}


def test_an_own_key_goes_before_the_installs_and_a_projects_before_that(people: People) -> None:
    with people.as_("ada"):
        people.one(SET_KEY, None, b"org", None)
    (opened,) = people.open_calls(people.open_message("ada"), install_key="shared")
    assert (opened["upstream"], opened["provider_key"], opened["provider_project_id"]) == ("openai", b"org", None)
    with people.as_("ada"):
        people.one(SET_KEY, people.projects["ada"], b"project", "https://eu.api.openai.com/v1")
    (opened,) = people.open_calls(people.open_message("ada"))
    assert (opened["provider_key"], opened["provider_project_id"]) == (b"project", people.projects["ada"])
    assert opened["base_url"] == "https://eu.api.openai.com/v1"


def test_a_projects_own_key_serves_no_other_project_and_no_other_organization(people: People) -> None:
    with people.as_("ada"):
        other = people.one("select * from app.project_create('other')")["id"]
        people.one(SET_KEY, other, b"other", None)
    opened = people.open_calls(people.open_message("ada"), people.open_message("eve"))
    assert [row["outcome"] for row in opened] == ["no_provider_key", "opened"]
    assert [row["provider_key"] for row in opened] == [None, None]


def test_an_organization_with_real_books_is_never_answered_by_the_sandbox(people: People) -> None:
    people.conn.execute("update public.organizations set books = 'openai' where name = 'Acme'")
    message = people.open_message("ada")
    assert outcome(people, message) == "no_provider_key"
    assert row_of(people, message) is None
    assert outcome(people, people.open_message("ada"), "first") == "opened"


def test_the_demo_organization_always_uses_the_sandbox(people: People) -> None:
    people.conn.execute("update public.organizations set is_demo = true where name = 'Acme'")
    people.conn.execute(
        "with made as (insert into public.provider_key_versions (org_id, last4)"
        " values (%s, 'wxyz') returning *)"
        " insert into private.provider_keys (id, org_id, last4, ciphertext) select id, org_id, last4, 'c' from made",
        [people.orgs["ada"]],
    )
    for install_key in ("none", "first", "shared"):
        (opened,) = people.open_calls(people.open_message("ada"), install_key=install_key)
        assert (opened["outcome"], opened["upstream"], opened["provider_key"]) == ("opened", "sandbox", None)


KEEP = {"objection": "needs_own_openai_key"}


def with_key(people: People, name: str, fingerprint: bytes | None) -> None:
    with people.as_(name):
        people.one("select app.provider_key_set(null, 'c', 'wxyz', null, %s, true)", fingerprint)


@pytest.mark.parametrize(("install_key", "ada", "eve"), [("none", False, False), ("first", False, False),
    ("shared", True, True)])  # fmt: skip
def test_the_installs_key_is_shared_when_it_serves_all(people: People, install_key: str, ada: bool, eve: bool) -> None:
    opened = people.open_calls(people.open_message("ada"), people.open_message("eve"), install_key=install_key)
    assert [row["shared"] for row in opened] == [ada, eve]


def test_on_a_shared_key_a_call_with_an_objection_is_refused_with_it_and_leaves_no_row(people: People) -> None:
    for code in ("needs_own_openai_key", "duplicate_keys"):
        message = people.open_message("ada", objection=code)
        assert outcome(people, message, "shared") == code
        assert row_of(people, message) is None
    message = people.open_message("ada", **KEEP)
    assert outcome(people, message, "first") == "opened"
    assert row_of(people, message) is not None


def test_on_a_shared_key_an_organization_reaches_only_the_objects_that_it_made(people: People) -> None:
    with_key(people, "ada", b"1")
    made = people.open_message("ada", endpoint="/v1/batches", **people.now_id())
    (opened,) = people.open_calls(made)
    message = people.settle_message("ada", made, outcome="pending", usage=None, account=str(people.orgs["ada"]),
        upstream="openai", upstream_object_id="batch_1", provider_key_id=str(opened["provider_key_id"]))  # fmt: skip
    people.settle_calls(message)
    with_key(people, "eve", b"1")
    seen = KEEP | {"method": "GET", "endpoint": "/v1/batches/{batch_id}"}

    def asked(name: str, **changes: Any) -> tuple[str, bool]:
        (found,) = people.open_calls(people.open_message(name, **seen | changes))
        return found["outcome"], found["shared"]

    assert asked("ada", object_id="batch_1") == ("opened", True)
    for name, object_id in (("ada", "batch_2"), ("ada", None), ("eve", "batch_1"), ("eve", None)):
        assert asked(name, object_id=object_id) == (KEEP["objection"], None), (name, object_id)


def test_a_bad_key_is_told_before_an_objection(people: People) -> None:
    assert outcome(people, people.open_message("ada", key_hash="00" * 32, **KEEP), "shared") == "invalid_key"


@pytest.mark.parametrize(("ada", "eve", "shared"), [
    (b"1", b"2", [False, False]), (b"1", b"1", [True, True]), (b"1", None, [False, True]), (None, None, [True, True]),
])  # fmt: skip
def test_one_openai_key_in_two_organizations_is_shared_and_one_of_unknown_identity_counts_as_such(
    people: People, ada: bytes | None, eve: bytes | None, shared: list[bool]
) -> None:
    with_key(people, "ada", ada)
    with_key(people, "eve", eve)
    opened = people.open_calls(people.open_message("ada"), people.open_message("eve"), install_key="shared")
    assert [row["shared"] for row in opened] == shared


def test_a_key_that_only_another_project_of_the_organization_has_too_is_not_shared(people: People) -> None:
    with_key(people, "ada", b"1")
    with people.as_("ada"):
        people.one("select app.provider_key_set(%s, 'c', 'wxyz', null, '1', false)", people.projects["ada"])
    assert people.open_calls(people.open_message("ada"))[0]["shared"] is False


@pytest.mark.parametrize(("install_key", "ada", "eve"), [("first", True, True), ("shared", True, True),
    ("none", None, False)])  # fmt: skip
def test_bringing_the_installs_own_key_makes_it_shared(
    people: People, install_key: str, ada: bool | None, eve: bool
) -> None:
    with_key(people, "eve", b"install")
    messages = [people.open_message("ada"), people.open_message("eve")]
    fingerprint = None if install_key == "none" else b"install"
    opened = people.open_calls(*messages, install_key=install_key, install_fingerprint=fingerprint)
    assert [row["shared"] for row in opened] == [bool(ada), eve]


def test_the_first_organization_may_bring_the_installs_key_itself(people: People) -> None:
    with_key(people, "ada", b"install")
    (opened,) = people.open_calls(people.open_message("ada"), install_key="first", install_fingerprint=b"install")
    assert opened["shared"] is False


def test_calls_of_several_organizations_travel_together_and_never_mix(people: People) -> None:
    with people.as_("eve"):
        people.one(SET_KEY, None, b"evil", None)
    whose = ["ada", "eve", "ada", None, "eve"]
    messages = [people.open_message(who) if who else people.open_message("ada", key_hash="ff" * 32) for who in whose]
    opened = people.open_calls(*messages)
    assert [row["n"] for row in opened] == [0, 1, 2, 3, 4]
    assert [row["org_id"] for row in opened] == [people.orgs.get(who) for who in whose]
    assert [row["provider_key"] for row in opened] == [None, b"evil", None, None, b"evil"]
    for who, message in zip(whose, messages, strict=True):
        assert (row_of(people, message) or {}).get("api_key_id") == (people.keys[who].id if who else None)


@pytest.mark.parametrize("change", [
    {"id": "not-a-uuid"}, {"started_at": "yesterday-ish"}, {"key_hash": "xyz"}, {"max_seconds": "long"}, {"stream": 7},
    {"endpoint": None}, {"tags": None}, {"method": None}, {"id": None}, {"max_seconds": None},
])  # fmt: skip
def test_a_message_of_the_wrong_form_raises_and_none_of_its_batch_is_written(
    people: People, change: dict[str, Any]
) -> None:
    good = people.open_message("ada")
    with people.as_role("spendai_proxy"), pytest.raises(psycopg.Error) as caught, people.conn.transaction():
        batch = [good | {"n": 0}, people.open_message("ada") | {"n": 1} | change]
        people.conn.execute("select * from app.open_calls(%s::jsonb, 'none', null)", [json.dumps(batch)])
    assert caught.value.sqlstate[:2] in ("22", "23")
    assert row_of(people, good) is None


def test_an_empty_batch_is_nothing(people: People) -> None:
    assert people.open_calls() == []


def test_a_call_of_a_month_without_a_partition_is_an_error_not_a_lost_row(people: People) -> None:
    people.conn.execute("reset role")
    month = datetime.now(UTC).strftime("usage_logs_%Y_%m")
    people.conn.execute(f"drop table private.{month}")
    people.conn.execute("set role postgres")
    with people.as_role("spendai_proxy"):
        batch = json.dumps([people.open_message("ada")])
        people.refused("23514", "select * from app.open_calls(%s::jsonb, 'none', null)", batch)


def test_only_the_gateway_may_run_it(db: psycopg.Connection, people: People) -> None:
    assert executors(db, "open_calls") == {"spendai_proxy"}
    with people.as_("ada"):
        people.refused(
            "42501", "select * from app.open_calls(%s::jsonb, 'none', null)", json.dumps([{"id": str(uuid4())}])
        )


def test_the_row_keeps_the_version_of_the_key_that_was_handed_out(people: People) -> None:
    with people.as_("ada"):
        people.one(SET_KEY, None, b"first", None)
    message = people.open_message("ada")
    (before,) = people.open_calls(message)
    with people.as_("ada"):
        people.one(SET_KEY, None, b"second", None)
    (after,) = people.open_calls(people.open_message("ada"))
    versions = [row["id"] for row in people.all("select id from public.provider_key_versions order by since")]
    assert [(row["provider_key"], row["provider_key_id"]) for row in (before, after)] == [
        (b"first", versions[0]), (b"second", versions[1])]  # fmt: skip
    assert row_of(people, message)["provider_key_id"] == versions[0]


@pytest.mark.parametrize(("install_key", "ada", "eve"), [("none", False, False), ("first", True, False),
    ("shared", True, True)])  # fmt: skip
def test_a_call_with_the_installs_key_keeps_the_version_of_that_key(
    people: People, install_key: str, ada: bool, eve: bool
) -> None:
    with people.as_role("spendai_proxy"):
        versions = [
            people.one("select app.install_key_version(false, %s, '', 'https://x.test') as id", key)["id"]
            for key in (b"1", b"2")
        ]
    for key, version in zip((b"2", b"1"), reversed(versions), strict=True):  # a gateway of before the change goes on
        messages = [people.open_message("ada"), people.open_message("eve")]
        people.open_calls(*messages, install_key=install_key, install_fingerprint=key)
        kept = [row_of(people, message)["provider_key_id"] for message in messages]
        assert kept == [version if served else None for served in (ada, eve)]


def test_the_gateway_learns_whether_the_project_makes_tags_of_metadata(people: People) -> None:
    with people.as_("ada"):
        people.one("select app.project_update(%s, null, null, true)", people.projects["ada"])
    opened = people.open_calls(people.open_message("ada"), people.open_message("eve"))
    assert [row["metadata_tags"] for row in opened] == [True, False]
