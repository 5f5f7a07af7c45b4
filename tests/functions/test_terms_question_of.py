"""app.terms_question_of: calls with equal questions are billed by equal terms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks import executors
from pricing import value

from webapp.postgres.migrations import DB

PLAIN = {"model": "gpt-4o", "usage": {"prompt_tokens": 10, "completion_tokens": 5}}


def question(db: Any, call: dict[str, Any]) -> dict[str, Any]:
    asked = (
        "(select to_jsonb(app.terms_question_of(c.org_id, c.endpoint, c.model, c.model_requested, c.service_tier,"
        " c.batch, c.usage, c.tools)) from jsonb_populate_record(null::app.settlement, %s::jsonb) c)"
    )
    return value(db, asked, json.dumps(call))


@pytest.mark.parametrize(("usage", "answer"), [
    ({"prompt_tokens": 99000, "completion_tokens": 7, "total_tokens": 99007}, {}),
    ({"input_tokens": 100000, "output_tokens": 7}, {}),
    ({"prompt_tokens": 100001}, {"input_limit": None}),
    ({"input_tokens": 5, "prompt_tokens": 200000}, {"input_limit": None}),
    ({"prompt_tokens": "5"}, {"input_limit": None}),
    ({"prompt_tokens": -1}, {"input_limit": None}),
    (None, {"input_limit": None}),
    ("svg_usage", {"input_limit": None}),
    ({"prompt_tokens": 1, "size": "1024x1024"}, {"size": "1024x1024"}),
    ({"prompt_tokens": 1, "region": "eu"}, {"with_extras": True}),
    ({"prompt_tokens": 1, "completion_window": "2h"}, {"with_extras": True}),
    ({"prompt_tokens": 1, "tool_usage": {"image_model": "b"}}, {"others": ["b"]}),
    ({"prompt_tokens": 1, "image_model": "a", "svg_usage": {"model": "s"}}, {"others": ["a", "s"]}),
])  # fmt: skip
def test_only_what_decides_the_terms_counts_of_the_usage(db, usage, answer) -> None:
    assert question(db, PLAIN | {"usage": usage}) == question(db, PLAIN) | answer


def test_tools_names_and_tier_are_part_of_it(db) -> None:
    told = {"endpoint": "/v1/responses", "model_requested": "gpt", "service_tier": "flex", "batch": True}
    assert question(db, PLAIN | told | {"tools": {}}) == question(db, PLAIN) | told | {"with_extras": True}


def test_no_other_function_decides_which_calls_share_their_terms() -> None:
    files = (DB / "functions").glob("*.sql")
    assert [file.stem for file in files if "then 100000 end" in file.read_text()] == ["terms_question_of"]


def test_who_may_ask_for_a_price_may_run_it(db) -> None:
    assert executors(db, "terms_question_of") == executors(db, "price_usage") == {"authenticated"}
