"""app.status_unpriced: which calls no price is looked up for."""

import pytest

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("outcome", "method", "endpoint", "expected"),
    [
        ("error", "GET", "/v1/models", "error"),
        ("no_usage", "POST", CHAT, "no_usage"),
        ("complete", "GET", "/v1/responses/{response_id}", "free"),
        ("pending", "GET", "/v1/responses/{response_id}", "free"),
        ("complete", "POST", "/v1/responses/input_tokens", "free"),
        ("pending", "POST", "/v1/responses", "pending_object"),
        ("complete", "POST", CHAT, None),
    ],
)
def test_a_call_is_priced_only_when_it_made_something_that_is_finished(db, outcome, method, endpoint, expected):
    row = db.execute("select app.status_unpriced(%s, %s, %s) as s", [outcome, method, endpoint]).fetchone()
    assert row["s"] == expected
