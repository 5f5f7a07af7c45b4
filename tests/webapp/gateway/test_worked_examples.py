"""The worked examples of what OpenAI bills in November 2026, through the running proxy (see fake_worked)."""

from __future__ import annotations

from decimal import Decimal

import pytest
import requests
from fake_replies import reply_json
from fake_upstream import FakeUpstream
from fake_worked import WORKED, Worked, windowed
from families import Case, fay, settled
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
