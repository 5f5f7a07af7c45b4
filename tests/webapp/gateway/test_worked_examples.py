"""The worked examples of what OpenAI bills in November 2026, through the running proxy (see fake_worked)."""

from __future__ import annotations

from decimal import Decimal

import pytest
import requests
from fake_replies import reply_json
from fake_upstream import FakeUpstream
from fake_worked import PYTHON, WORKED, Worked, response, usage, windowed
from families import Case, fay, responses_sse, settled
from stack import Stack

__all__ = ["fay"]
pytestmark = pytest.mark.usefixtures("fay")


@pytest.mark.parametrize("example", WORKED.values(), ids=WORKED.keys())
def test_a_worked_example_costs_exactly_what_it_should(stack: Stack, fake: FakeUpstream, example: Worked) -> None:
    cost = None if example.cost is None else Decimal(example.cost)
    row = {"tools": example.tools} | example.row if example.cost is not None else example.row
    settled(stack, fake, Case(example.path, example.asks, example.says, cost, example.status, row=row))


@pytest.mark.parametrize("word", ["2h", "8h", "soonest"])
def test_a_response_in_the_background_costs_less_by_its_completion_window(
    stack: Stack, fake: FakeUpstream, word: str
) -> None:
    asks, queued, ended, cost = windowed(word)
    fake.queue("/v1/responses", reply_json(queued))
    made = stack.row(stack.post("/responses", "fay", json=asks))
    assert (made["cost"], made["cost_status"]) == (None, "pending_object")
    assert made["usage"] == (None if word == "soonest" else {"completion_window": word})
    fake.queue(f"/v1/responses/{queued['id']}", reply_json(ended))
    headers = {"Authorization": f"Bearer {stack.key('fay')}"}
    assert requests.get(f"{stack.proxy}/responses/{queued['id']}", headers=headers, timeout=30).ok
    row = stack.row(str(made["id"]))
    assert (row["cost"], row["cost_status"], row["tokens_in"]) == (cost, "priced", 10_000)


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_pays_once_for_the_container_that_its_responses_run_in(
    stack: Stack, fake: FakeUpstream, stream: bool
) -> None:
    item = PYTHON | {"container_id": f"cntr_talk_{stream}"}
    whole = response(
        "gpt-6.1-sol", usage(1000, 100), tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]
    )
    says = responses_sse("completed", whole, item) if stream else reply_json(whole | {"output": [item]})
    asks = {"model": "gpt-6.1-sol", "input": "hi", "tools": whole["tools"], "stream": stream}
    for cost, tools in ("0.033", {"container_sessions": 1}), ("0.003", None), ("0.003", None):
        settled(stack, fake, Case("/responses", asks, says, Decimal(cost), row={"tools": tools}))
        asks |= {"previous_response_id": whole["id"]}


@pytest.fixture(scope="module")
def regional(stack: Stack, fake: FakeUpstream) -> None:
    """An organization whose base URL is OpenAI's host in the EU."""
    stack.found_with_key("reg", "Regional", fake.url.replace("127.0.0.1", "eu.api.openai.com"), "sk-regional")


# model, usage, tools beside it, cost; those of the facts, then one with everything at once
IN_THE_EU = {
    "a model released since March 2026": ("gpt-6.1-sol", usage(10_000, 500, 1000), [], "0.02541"),
    "an older model": ("gpt-5.2", usage(10_000, 500, 1000), [], "0.022925"),
    "a container is a fee": ("gpt-6.1-sol", usage(10_000, 500, 1000), ["4g"], "0.14541"),
}


@pytest.mark.usefixtures("regional")
@pytest.mark.parametrize("name", IN_THE_EU)
def test_tokens_cost_more_in_a_region(stack: Stack, fake: FakeUpstream, name: str) -> None:
    model, used, containers, cost = IN_THE_EU[name]
    tools = [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": size}} for size in containers]
    items = [{"type": "code_interpreter_call", "container_id": "cntr_1", "status": "completed"} for _ in containers]
    says = reply_json(response(model, used, tools=tools, output=items))
    row = settled(stack, fake, Case("/responses", {"model": model, "input": "hi"}, says, Decimal(cost), who="reg"))
    assert row["region"] == "eu"
    lines = [line for line in row["cost_lines"] if line["dimension"] == "regional_processing"]
    assert [line["qualifier"] for line in lines] == ([] if model == "gpt-5.2" else ["eu"])
