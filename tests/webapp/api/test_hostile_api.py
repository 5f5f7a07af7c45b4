"""Random requests to every route of the API get an answer of the documented schema, never a 500."""

from __future__ import annotations

import json
import string
from urllib.parse import quote

import pytest
from conftest import Api, Site
from contract import check_answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webapp.api.openapi import _document

OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in _document()["paths"].items()
    for method, operation in operations.items()
    if method in ("get", "post", "put", "patch", "delete")
    and not path.startswith("/api/v1/proxy")
    and not path.endswith(("/auth/logout", "/auth/login"))  # would end the session, would be throttled
]
ODD = [
    "",
    " ",
    "\0",
    "\ud800",
    "'",
    "%",
    "../..",
    "null",
    "0",
    "-1",
    "9" * 40,
    "1e400",
    "NaN",
    "2026-02-30",
    "x" * 5000,
    "🦜",
]
texts = st.sampled_from(ODD) | st.text(max_size=20) | st.text(string.ascii_letters, max_size=10)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


def names(operation: dict) -> list[str]:
    """Properties of the body the document describes."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    content = _document()["components"]["schemas"].get(content.get("$ref", "").rsplit("/", 1)[-1], content)
    return list(content.get("properties", {}))


@pytest.fixture(scope="module")
def ada(site: Site) -> Api:
    return site.sign_up("hostile", organization="Hostile")


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_whatever_comes_is_answered_clearly(site: Site, ada: Api, method: str, path: str, operation: dict) -> None:
    fields = names(operation)
    bodies = values | st.fixed_dictionaries({}, optional=dict.fromkeys(fields, values)) if fields else values
    queries = st.dictionaries(st.sampled_from([p["name"] for p in operation.get("parameters", [])] or ["x"]), texts)

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(body=bodies, query=queries, part=texts, raw=st.binary(max_size=40), use=st.integers(0, 5))
    def send(body: object, query: dict, part: str, raw: bytes, use: int) -> None:
        filled = "".join(_safe(part) if piece.startswith("{") else piece for piece in _pieces(path))
        data = raw if use == 0 else json.dumps(body).encode()
        query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
        answer = ada.client.open(
            filled, method=method, data=data if method != "GET" else None, query_string=query,
            headers={"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400 and answer.is_json:
            check_answer(answer, method, filled)

    send()


def _pieces(path: str) -> list[str]:
    path = path if path.startswith("/api/v1") else "/api/v1" + path
    return path.replace("{", "\1{").replace("}", "}\1").split("\1")


def _safe(part: str) -> str:
    """Text as one segment of a path."""
    return quote(part.encode("utf-8", "replace"), safe="") or "x"
