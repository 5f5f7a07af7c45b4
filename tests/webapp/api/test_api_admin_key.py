"""The OpenAI admin key: tried with OpenAI before it is stored, sealed, and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from conftest import Api, Site
from fake_admin_api import FakeAdmin, broken
from fake_replies import reply_json

from webapp.secrets.admin_keys import unseal_admin_key

KEY = "sk-admin-canary-0123456789abcdef"
ALL = {"api.usage.read", "api.management.read"}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAdmin]:
    with FakeAdmin() as fake:
        yield fake


@pytest.fixture
def openai(fake: FakeAdmin) -> FakeAdmin:
    fake.requests.clear()
    fake.keys = {KEY: ALL}
    return fake


@pytest.fixture(scope="module")
def ada(site: Site, fake: FakeAdmin) -> Api:
    return site.with_settings(openai_base_url=fake.url).sign_up("ada")


def put(who: Api, **body: object) -> object:
    return who.call("PUT", "/admin-key", {"key": KEY} | body)


def test_a_key_is_tried_then_sealed_and_only_its_end_comes_back(site: Site, ada: Api, openai: FakeAdmin) -> None:
    stored = put(ada)
    assert (stored.status_code, set(stored.json), stored.json["last4"]) == (200, {"last4", "updated_at"}, "cdef")
    assert [r.path.rpartition("organization/")[2] for r in openai.requests] == [
        "costs",
        "usage/completions",
        "projects",
    ]
    assert {r.method for r in openai.requests} == {"GET"} and not any("canary" in r.target for r in openai.requests)
    nothing = {"base_url": None, "fetched_at": None, "failed_at": None, "error": None}
    assert ada.get("/admin-key").json == stored.json | nothing
    org = UUID(ada.organization["id"])
    query = "select ciphertext, k::text from private.admin_keys k where org_id = %s"
    ((sealed, text),) = site.sql(query, org)
    assert unseal_admin_key(site.config, bytes(sealed), org) == KEY
    assert "canary" not in text + ada.get("/audit").text and KEY.encode() not in bytes(sealed)


@pytest.mark.parametrize("key", [
    "", "sk-proj-0123456789abcdefghij", "sk-svcacct-0123456789abcdef", "sk-0123456789abcdefghij", "sk-admin-",
    "sk-admin-short",
    "SK-ADMIN-0123456789abcdef", "sk-admin-with space 0123456789", "sk-admin-é0123456789abcdef",
    "sk-admin-0123456789\r\nX-Y: z",
    "sk-admin-" + "x" * 500,
])  # fmt: skip
def test_another_kind_of_key_is_refused_before_any_request(ada: Api, openai: FakeAdmin, key: str) -> None:
    answer = put(ada, key=key)
    error = answer.json["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "admin_key_invalid", "key")
    assert openai.requests == [] and (key == "" or key not in answer.text)


@pytest.mark.parametrize("scopes", [set(), {"api.usage.read"}, {"api.management.read"}])
def test_a_key_that_lacks_a_right_is_not_stored(ada: Api, openai: FakeAdmin, scopes: set[str]) -> None:
    put(ada)
    before = ada.get("/admin-key").json
    other = KEY.replace("canary", "second")
    openai.keys[other] = scopes
    answer = put(ada, key=other)
    error = answer.json["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "admin_key_refused", "key")
    assert "lacks a right" in error["message"] and "Nothing was stored" in error["message"]
    assert "second" not in answer.text and ada.get("/admin-key").json == before


def test_a_key_that_openai_does_not_know_is_not_stored_and_not_repeated(ada: Api, openai: FakeAdmin) -> None:
    openai.queue("costs", reply_json({"error": {"message": f"Incorrect API key provided: {KEY}."}}, 401))
    answer = put(ada)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "admin_key_refused")
    assert "does not accept" in answer.text and "canary" not in answer.text


def test_a_fault_of_openai_is_told_and_nothing_is_stored(site: Site, ada: Api, openai: FakeAdmin) -> None:
    openai.queue("projects", reply_json({}, 500))
    answer = put(ada, key=KEY)
    assert (answer.status_code, answer.json["error"]["code"]) == (502, "openai_unavailable")
    away = site.with_settings(openai_base_url="http://127.0.0.1:9/v1").sign_up("ada")
    answer = put(away)
    assert (answer.status_code, answer.json["error"]["code"]) == (502, "openai_unavailable")
    assert "could not be reached" in answer.text and away.get("/admin-key").status_code == 404


def test_it_can_be_asked_elsewhere(ada: Api, openai: FakeAdmin) -> None:
    assert put(ada, base_url=openai.url + "/").status_code == 200
    assert ada.get("/admin-key").json["base_url"] == openai.url
    openai.requests.clear()
    for url in ("http://169.254.169.254/v1", "http://[fd00:ec2::254]/v1", "https://user:pw@x.test", "ftp://x.test"):
        answer = put(ada, base_url=url)
        assert (answer.status_code, answer.json["error"]["param"]) == (400, "base_url"), url
    assert openai.requests == []


def test_a_name_that_leads_to_a_private_address_is_not_asked_where_the_setting_forbids_it(
    site: Site, openai: FakeAdmin
) -> None:
    strict = site.with_settings(allow_private_base_urls=False).sign_up("ada")
    answer = put(strict, base_url=openai.url.replace("127.0.0.1", "localhost"))
    assert (answer.status_code, answer.json["error"]["code"]) == (502, "openai_unavailable")
    assert openai.requests == []


def test_deleting_it_twice_and_asking_for_none(ada: Api, openai: FakeAdmin) -> None:
    put(ada)
    assert ada.call("DELETE", "/admin-key").status_code == 204
    for method in ("DELETE", "GET"):
        answer = ada.call(method, "/admin-key")
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "admin_key_not_found")


def test_a_developer_is_refused_before_openai_is_asked(site: Site, openai: FakeAdmin) -> None:
    team = site.team()
    answer = put(team.dev, base_url=openai.url)
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "admin_required")
    assert openai.requests == []


def test_a_server_that_is_not_openais_gets_no_large_answer_parsed_by_a_gateway(ada: Api, openai: FakeAdmin) -> None:
    """Odd JSON of many megabytes takes a gateway seconds, in which it answers no other organization."""
    elsewhere = openai.url.replace("127.0.0.1", "localhost")
    answer = b'{"data": []%s}' % (b" " * 2**20)
    openai.queue("costs", broken(answer), broken(answer))
    refused = put(ada, base_url=elsewhere)
    assert (refused.status_code, refused.json["error"]["code"]) == (502, "openai_unavailable")
    assert "costs: OpenAI's answer is larger than 1048576 bytes" in refused.json["error"]["message"]
    assert put(ada, base_url=None).status_code == 200
