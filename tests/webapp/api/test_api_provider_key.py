"""The organization's own OpenAI key: stored encrypted and never shown."""

from __future__ import annotations

from uuid import UUID

import pytest
from conftest import Api, Site

from webapp.secrets.vault import unseal

KEY = "sk-proj-canary-0123456789abcdef"


@pytest.fixture
def ada(site: Site) -> Api:
    site.sql("delete from private.provider_keys returning 1")  # the same key, of the Ada of an earlier test
    return site.sign_up("ada")


def put(who: Api, **body: object) -> object:
    return who.call("PUT", "/provider-key", {"key": KEY} | body)


def test_a_key_is_sealed_and_only_its_last_four_characters_come_back(site: Site, ada: Api) -> None:
    stored = put(ada, base_url="https://proxy.acme.test/v1/")
    assert set(stored.json) == {"last4", "updated_at"} and stored.json["last4"] == "cdef"
    assert ada.get("/provider-key").json == stored.json | {"project_id": None, "base_url": "https://proxy.acme.test/v1"}
    org = UUID(ada.organization["id"])
    (sealed, text), = site.sql("select ciphertext, k::text from private.provider_keys k where org_id = %s",
        org)  # fmt: skip
    assert unseal(site.config.key_ring, bytes(sealed), org, None) == KEY
    assert "canary" not in text and KEY.encode() not in bytes(sealed)
    assert "canary" not in ada.get("/audit").text


def test_a_project_may_have_a_key_of_its_own(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    assert put(ada, project_id=project).status_code == 200
    assert ada.get("/provider-key").status_code == 404
    assert ada.get(f"/provider-key?project_id={project}").json["project_id"] == project
    (sealed,), = site.sql("select ciphertext from private.provider_keys where project_id = %s", project)  # fmt: skip
    assert unseal(site.config.key_ring, bytes(sealed), UUID(ada.organization["id"]), UUID(project)) == KEY
    assert ada.call("DELETE", "/provider-key").status_code == 404
    assert ada.call("DELETE", f"/provider-key?project_id={project}").status_code == 204
    assert ada.get(f"/provider-key?project_id={project}").status_code == 404


@pytest.mark.parametrize("no_id", ["nonsense", ""])
def test_a_project_id_that_is_none_is_404_and_does_not_mean_the_organization(ada: Api, no_id: str) -> None:
    put(ada)
    assert put(ada, key="sk-of-a-project", project_id=no_id).status_code == 404
    assert ada.get(f"/provider-key?project_id={no_id}").status_code == 404
    assert ada.call("DELETE", f"/provider-key?project_id={no_id}").status_code == 404
    assert ada.call("DELETE", "/provider-key", {"project_id": no_id}).status_code == 404
    assert ada.get("/provider-key").json["last4"] == "cdef"


def test_the_key_of_a_project_is_named_in_the_query_string_or_in_the_body(ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    put(ada)
    for query, body in ((f"?project_id={project}", {}), ("", {"project_id": project})):
        assert ada.call("PUT", f"/provider-key{query}", {"key": "sk-of-a-project"} | body).status_code == 200
        assert ada.call("DELETE", f"/provider-key{query}", body).status_code == 204
        assert ada.get(f"/provider-key?project_id={project}").status_code == 404
    assert ada.get("/provider-key").json["last4"] == "cdef"


def test_storing_again_replaces(ada: Api) -> None:
    put(ada, base_url="https://proxy.acme.test")
    assert put(ada, key="sk-another-key-that-ends-in-wxyz").json["last4"] == "wxyz"
    assert ada.get("/provider-key").json["base_url"] is None


def test_a_stored_key_turns_the_books_to_real_money(site: Site, ada: Api) -> None:
    put(ada)
    assert site.sql("select books from public.organizations where id = %s", ada.organization["id"]) == [("openai",)]


@pytest.mark.parametrize(
    "key", ["", " ", "sk-with space", "sk-é", "sk-" + "x" * 498, "sk-\ttab", "sk-line\nbreak", "hello", KEY[3:]]
)
def test_what_is_no_key_is_refused_and_calls_stay_in_the_sandbox(site: Site, ada: Api, key: str) -> None:
    answer = put(ada, key=key)
    assert (answer.status_code, answer.json["error"]["param"]) == (400, "key")
    assert site.sql("select books from public.organizations where id = %s", ada.organization["id"]) == [("sandbox",)]


def test_a_key_of_another_service_may_begin_with_anything(ada: Api) -> None:
    assert put(ada, key="hello", base_url="https://eu.api.openai.com/v1").status_code == 400
    assert put(ada, key="hello", base_url="https://llm.acme.test/v1").status_code == 200


@pytest.mark.parametrize("url", ["ftp://api.openai.com", "api.openai.com", "https://",
    "https://user:pw@api.openai.com", "https://@api.openai.com",
    "https://api.openai.com/v1?x=1", "https://api.openai.com/v1#x", "https://api.openai.com:99999", "https://[::1",
    "javascript:alert(1)",
    "https://api openai.com", "https://api.openai.com\\@evil.test", "https://%31%36%39.254.169.254",
    "http://169.254.169.254", "http://169.254.169.254.", "http://2852039166", "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518", "http://[fe80::1]", "http://[::ffff:169.254.169.254]",
    "https://x.test/" + "y" * 500])  # fmt: skip
def test_a_base_url_that_leads_astray_is_refused(ada: Api, url: str) -> None:
    answer = put(ada, base_url=url)
    assert (answer.status_code, answer.json["error"]["param"]) == (400, "base_url"), answer.text
    assert ada.get("/provider-key").status_code == 404


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "http://localhost:8080/v1", "http://10.0.0.7:8080", "http://[::1]:8080/v1"]
)
def test_a_base_url_of_ones_own_is_taken(ada: Api, url: str) -> None:
    assert put(ada, base_url=url).status_code == 200
    assert ada.get("/provider-key").json["base_url"] == url


def test_a_key_that_another_organization_uses_is_stored_only_after_a_confirmation(site: Site, ada: Api) -> None:
    put(ada)
    eve = site.sign_up("eve")
    for more in ({}, {"confirm_shared": False}, {"confirm_shared": None}):
        refused = put(eve, **more)
        error = refused.json["error"]
        assert (refused.status_code, error["code"], error["param"]) == (409, "key_in_use", "key")
        assert '"confirm_shared": true' in error["message"] and KEY not in refused.text
        assert ada.organization["name"] not in refused.text and ada.organization["id"] not in refused.text
    assert eve.get("/provider-key").status_code == 404
    assert put(eve, confirm_shared="yes").status_code == 400
    assert put(eve, confirm_shared=True).status_code == 200


def test_of_a_short_key_nothing_is_shown(ada: Api) -> None:
    assert put(ada, key="sk-short").json["last4"] == ""


def test_the_history_of_keys_and_the_key_of_a_call(site: Site, ada: Api) -> None:
    put(ada, base_url="https://eu.api.openai.com/v1")
    put(ada, key="sk-another-key-that-ends-in-wxyz")
    assert ada.call("DELETE", "/provider-key").status_code == 204
    second, first = ada.get("/provider-key/versions").json["data"]
    assert (first["last4"], first["base_url"], first["install"]) == ("cdef", "https://eu.api.openai.com/v1", False)
    assert first["until"] <= second["since"] < second["until"] and second["last4"] == "wxyz"
    eve = site.sign_up("eve")
    assert eve.get("/provider-key/versions").json["data"] == []
