"""app.made_object: which objects at OpenAI an organization made with the key that it uses now."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from checks import executors
from people import People

SET = "select app.provider_key_set(null, 'c', 'wxyz', %s, %s, false)"
URL = "https://api.test/v1"


def made(people: People, install: bool = False) -> str:
    """Ada makes batch_1 with the key '1', her own at URL or the install's; returns the account."""
    account = "install" if install else str(people.orgs["ada"])
    if install:
        with people.as_role("spendai_proxy"):
            people.one("select app.install_key_version(false, '1', 'inst', %s)", URL)
    else:
        with people.as_("ada"):
            people.one(SET, URL, b"1")
    message = people.open_message("ada", endpoint="/v1/batches", **people.now_id())
    (opened,) = people.open_calls(message, install_key="first", install_fingerprint=b"1")
    settled = people.settle_message("ada", message, outcome="pending", usage=None, account=account, upstream="openai",
        upstream_object_id="batch_1", provider_key_id=str(opened["provider_key_id"]))  # fmt: skip
    assert people.settle_calls(settled)[0]["outcome"] == "settled"
    return account


def asked(people: People, name: str, account: str, *more: Any) -> bool:
    object_id, fingerprint, base_url = more or ("batch_1", b"1", URL)
    query = "select app.made_object(%s, %s, %s, %s, %s) as made"
    return people.one(query, people.orgs[name], account, object_id, fingerprint, base_url)["made"]


def test_the_maker_made_it_and_nobody_else_did(people: People) -> None:
    account = made(people)
    assert asked(people, "ada", account) is True
    assert asked(people, "eve", account) is asked(people, "eve", str(people.orgs["eve"])) is False
    assert asked(people, "ada", "install") is False


@pytest.mark.parametrize("other", [
    ("batch_2", b"1", URL), ("batch_1", b"2", URL), ("batch_1", None, URL), ("batch_1", b"1", "https://evil.test"),
    ("batch_1", b"1", None),
])  # fmt: skip
def test_another_object_key_or_server_is_not_what_made_it(people: People, other: tuple) -> None:
    """Eve could answer with the id of any object from a server of her own, before she stores the shared key."""
    assert asked(people, "ada", made(people), *other) is False


def test_with_the_installs_key_its_base_url_is_the_operators_affair(people: People) -> None:
    account = made(people, install=True)
    assert asked(people, "ada", account, "batch_1", b"1", None) is True
    assert asked(people, "eve", account, "batch_1", b"1", None) is False


def test_only_the_owner_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "made_object") == set()
