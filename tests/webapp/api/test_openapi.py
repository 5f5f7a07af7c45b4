"""The OpenAPI document describes exactly the routes; tests/webapp/contract.py checks every answer against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from conftest import Site


def document(site: Site) -> dict[str, Any]:
    """As a stranger gets it."""
    answer = site.nobody().get("/openapi.json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    return answer.json


def operations(site: Site) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document(site)["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_documented_and_nothing_else(site: Site) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/api/") or rule.rule in ("/healthz", "/readyz")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert len(routes) > 25
    proxied = {
        (path, method) for path in ("/api/v1/proxy", "/api/v1/proxy/{path}") for method in ("get", "post", "delete")
    }
    assert {(path, method) for path, method, _ in operations(site)} == routes | proxied


def test_every_reference_leads_somewhere_and_every_schema_is_used(site: Site) -> None:
    text = json.dumps(document(site))
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert used == set(document(site)["components"]["schemas"])


def test_whatever_a_person_reads_may_come_from_a_replica_and_say_as_of_when(site: Site) -> None:
    for path, method, operation in operations(site):
        told = any("x-spendai-as-of" in answer.get("headers", {}) for answer in operation["responses"].values())
        assert told == (method == "get" and operation["security"] == [{"token": []}]), (path, method)


def test_path_parameters_are_those_of_the_path(site: Site) -> None:
    for path, method, operation in operations(site):
        named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path), (path, method)


def test_only_what_is_meant_for_strangers_is_open_to_them(site: Site) -> None:
    open_to_all = {path for path, _, operation in operations(site) if operation["security"] == []}
    assert open_to_all == {
        "/api/v1/auth/signup", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/openapi.json", "/healthz",
            "/readyz",
    }  # fmt: skip
    for path, method, operation in operations(site):
        if operation["security"] == [{"token": []}]:
            concrete = re.sub(r"{\w+}", "3b1b5255-a9d8-4be2-b428-08e714b5cd88", path)
            answer = site.nobody().call(method.upper(), concrete.removeprefix("/api/v1"))
            assert answer.status_code == 401, (method, path)


def test_the_document_names_this_installs_address(site: Site) -> None:
    public = site.with_settings(public_url="https://spend.acme.test")
    assert document(public)["servers"] == [{"url": "https://spend.acme.test"}]
    assert document(site)["servers"] == [{"url": site.config.public_url}]


def test_the_proxy_is_documented_with_its_own_headers(site: Site) -> None:
    for path in ("/api/v1/proxy", "/api/v1/proxy/{path}"):
        described = document(site)["paths"][path]["post"]
        assert "x-spendai-tags" in [one["name"] for one in described["parameters"] if one["in"] == "header"]
        assert set(described["responses"]["default"]["headers"]) == {"x-spendai-call-id", "x-spendai-warning"}


def test_whatever_is_read_refuses_a_parameter_that_the_document_does_not_name(site: Site) -> None:
    ada, read = site.sign_up("ada"), 0
    for path, method, operation in operations(site):
        if method == "get" and path.startswith("/api/v1/") and "/proxy" not in path:
            concrete = re.sub(r"{\w+}", "3b1b5255-a9d8-4be2-b428-08e714b5cd88", path).removeprefix("/api/v1")
            error = ada.get(f"{concrete}?projct=x").json["error"]
            assert (error["code"], error["param"]) == ("unknown_parameter", "projct"), path
            named = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
            assert all(name in error["message"] for name in named or ["none"]), path
            read += 1
    assert read > 15


def test_every_filter_says_what_it_compares_with(site: Site) -> None:
    for path in ("/api/v1/usage", "/api/v1/calls"):
        for one in document(site)["paths"][path]["get"]["parameters"]:
            if one["schema"]["type"] == "array" and one["name"] != "session":
                assert one["schema"]["description"], (path, one["name"])


def test_a_slash_at_the_end_of_a_path_changes_nothing(site: Site) -> None:
    for path, method, _ in operations(site):
        if "/proxy" not in path:
            concrete = re.sub(r"{\w+}", "3b1b5255-a9d8-4be2-b428-08e714b5cd88", path)
            plain, slash = (site.app.test_client().open(concrete + end, method=method.upper()) for end in ("", "/"))
            assert (slash.status_code, slash.data) == (plain.status_code, plain.data), (path, method)
