"""The table of operations, the routes made from it, and the page docs/endpoints.md."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import ApiError
from webapp.gateway.body import read_body
from webapp.gateway.endpoints import PAGE, render
from webapp.gateway.refusals import refused
from webapp.gateway.routes import ROUTES, Target, find, target_of
from webapp.metering.references import Objection

PATHS = {route.path for route in ROUTES}


def filled(path: str) -> str:
    """The path with an id in each of its places."""
    return re.sub(r"{(\w+)}", r"\1-1", path)


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text() == render(), "run python -m webapp.gateway.endpoints"


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_operation_is_found_by_its_path(route):
    assert find(route.method, filled(route.path)) == route
    assert route.endpoint == f"/v1{route.path}"
    if route.method == "GET":
        assert find("HEAD", filled(route.path)) == route


def test_each_line_of_the_table_says_all_it_must():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.forwarded in ("always", "own_key", "never")
        assert (route.metered == "") == (route.forwarded == "never")
        assert route.metered in ("", "priced", "free", "no_usage", "pending_object")
        assert not route.makes or route.method == "POST"
        if route.path.startswith(("/organization/", "/projects/", "/realtime/", "/live/", "/vaults", "/safety/")):
            assert route.forwarded == "never"
        if route.forwarded == "always":
            assert "{" not in route.path or route.path == "/models/{model}", "an id of something that outlives a call"


def test_the_query_of_an_operation_passes():
    assert target_of({"REQUEST_METHOD": "POST"}, "/responses", "?beta=true").raw == "/responses?beta=true"


def refusal(method: str, path: str) -> ApiError:
    with pytest.raises(ApiError) as raised:
        target_of({"REQUEST_METHOD": method}, path, "")
    return raised.value


@pytest.mark.parametrize(
    "path", ["/vaults", "/webhook_endpoints", "/webhook_endpoints/we_1/test", "/organization/external_keys"]
)
def test_administration_is_refused_as_such(path):
    error = refusal("POST", path)
    assert (error.status, error.code) == (403, "endpoint_not_allowed")
    assert "administers the OpenAI account" in error.message
    assert "connect to /live/sessions by WebSocket" in refusal("POST", "/live/sessions").message


def test_agents_need_a_key_of_their_own_because_their_usage_is_an_estimate():
    routes = [route for route in ROUTES if route.path.startswith("/agents")]
    assert len(routes) > 40 and {route.forwarded for route in routes} == {"own_key"}
    assert find("POST", "/agents/sessions").metered == find("POST", "/agents/sessions/s_1/events").metered == "no_usage"
    objection = read_body({}, Target(find("POST", "/agents/sessions"), ""), 0, 0, lambda: None).objection
    assert "an estimate only" in refused("needs_own_openai_key", objection).message
    assert "an estimate only" not in refused("needs_own_openai_key", Objection("needs_own_openai_key")).message


def test_an_operation_with_a_name_of_its_own_goes_before_one_with_an_id():
    assert find("POST", "/threads/runs").path == "/threads/runs"
    assert find("POST", "/responses/compact").path == "/responses/compact"
    assert find("POST", "").path == find("POST", "/").path == "/chat/completions"


@given(st.text(alphabet="ab/.%2eEfF5cC\\;: \x00é-_~", max_size=30))
def test_no_path_gets_through_that_another_server_could_read_differently(rest):
    for base in ("/files/", "/models/", "/threads/t/runs/"):
        if route := find("GET", base + rest):
            segments = (base + rest).split("/")[1:]
            assert len(segments) == len(route.path.split("/")) - 1
            for segment in segments:
                assert segment not in ("", ".", "..")
                assert not re.search(r"[\\;?#\s\x00é]|%2[ef5]|%5c|%[01]", segment, re.I)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", ""])
def test_other_methods_are_no_operations(method):
    assert all(find(method, filled(path)) is None for path in PATHS)
