"""app.status_unpriced: cost status of calls that are not priced by their usage."""

import re

import pytest

from webapp.gateway.routes import ROUTES
from webapp.websocket.paths import PATHS

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("outcome", "method", "endpoint", "expected"),
    [
        ("error", "GET", "/v1/models", "error"),
        ("no_usage", "POST", CHAT, "no_usage"),
        ("complete", "GET", "/v1/responses/{response_id}", "free"),
        ("pending", "GET", "/v1/responses/{response_id}", "free"),
        ("no_usage", "GET", "/v1/files/{file_id}/content", "free"),
        ("complete", "POST", "/v1/responses/input_tokens", "free"),
        ("complete", "POST", "/v1/files", "free"),
        ("no_usage", "POST", "/v1/uploads/{upload_id}/parts", "free"),
        ("complete", "POST", "/v1/vector_stores", "no_usage"),
        ("pending", "POST", "/v1/responses", "pending_object"),
        ("complete", "POST", CHAT, None),
    ],
)
def test_a_call_is_priced_only_when_it_made_something_that_is_finished(db, outcome, method, endpoint, expected):
    row = db.execute("select app.status_unpriced(%s, %s, %s) as s", [outcome, method, endpoint]).fetchone()
    assert row["s"] == expected


@pytest.mark.parametrize("route", [route for route in ROUTES if route.metered], ids=lambda r: f"{r.method} {r.path}")
def test_every_operation_has_the_status_that_the_documentation_promises(db, route):
    outcome = "pending" if route.metered == "pending_object" else "complete"
    query = "select app.status_unpriced(%s, %s, %s) as s"
    status = db.execute(query, [outcome, route.method, route.endpoint]).fetchone()["s"]
    assert (status or "priced") == route.metered


def test_every_endpoint_that_it_names_is_one_of_openai_s_operations(db):
    text = db.execute("select prosrc from pg_proc where oid = 'app.status_unpriced'::regproc").fetchone()["prosrc"]
    named = set(re.findall(r"'(/v1/[^']*)'", text))
    assert len(named) > 15
    assert named <= {route.endpoint for route in (*ROUTES, *(path.route for path in PATHS.values()))}
