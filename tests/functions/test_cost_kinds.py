"""app.cost_kinds: what a call cost by kind adds up to its cost, exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from pricing import Price, chat, price
from test_price_usage_examples import EXAMPLES, SOL, WINDOWED

# dimension → the kind that its cost counts as; of tokens and units that a new dimension brings, somebody has to say
KINDS = {
    "input_text": "input", "cached_text": "cached", "cached_audio": "cached", "cached_image": "cached",
    "cache_write": "cache_write", "cache_write_12h": "cache_write", "output_text": "output",
    "input_audio": "audio", "output_audio": "audio", "audio_seconds": "audio", "standby_seconds": "audio",
    "input_characters": "audio", "input_image": "image", "output_image": "image", "images": "image",
    "video_seconds": "tools", "web_search_calls": "tools", "web_search_preview_calls": "tools",
    "file_search_calls": "tools", "container_sessions": "tools", "requests": "tools",
    "regional_processing": "region", "completion_window": None,
}  # fmt: skip
TOKENS = [name for name, kind in KINDS.items() if kind not in ("tools", "region", None) and "seconds" not in name]
SMALLEST = Decimal("1e-12")
AMOUNT = st.integers(0, 10**15).map(lambda n: n * SMALLEST)


def kinds(db: psycopg.Connection, cost: object, lines: str | None, reasoning: int | None = None) -> dict[str, Decimal]:
    """Kind → dollars, of the kinds that cost something."""
    row = db.execute("select * from app.cost_kinds(%s, %s::jsonb, %s)", [cost, lines, reasoning]).fetchone()
    return {name.removeprefix("cost_"): dollars for name, dollars in row.items() if dollars != 0}


def line(dimension: str, quantity: object, cost: object) -> str:
    dollars = "null" if cost is None else f"{Decimal(cost):f}"
    return f'{{"dimension": "{dimension}", "quantity": {Decimal(quantity):f}, "cost": {dollars}}}'


def of_price(db: psycopg.Connection, got: Price, reasoning: int | None = None) -> dict[str, Decimal]:
    lines = ",".join(line(each["dimension"], each["quantity"], each["cost"]) for each in got.lines)
    return kinds(db, got.cost, f"[{lines}]", reasoning)


def test_every_dimension_has_a_kind(db: psycopg.Connection) -> None:
    assert {row["dimension"] for row in db.execute("select dimension from app.price_dimensions()")} == set(KINDS)
    for name, kind in KINDS.items():
        if kind:
            assert kinds(db, 2, f"[{line(name, 7, 2)}]") == {kind: 2}, name


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_kinds_of_each_worked_example_add_up_to_its_cost(db: psycopg.Connection, name: str) -> None:
    model, usage, tools, _ = EXAMPLES[name]
    got = price(db, model, usage, tools, endpoint="/v1/responses")
    for reasoning in (None, 0, 1, 7, 10**9):
        found = of_price(db, got, reasoning)
        assert sum(found.values()) == got.cost
        assert min(found.values(), default=0) >= 0


def test_reasoning_tokens_have_the_price_of_output_and_the_rest_of_it_is_output(db: psycopg.Connection) -> None:
    got = price(db, "gpt-5", chat(1000, 300, prompt={"cached_tokens": 400}))
    by_hand = {"input": Decimal("0.00075"), "cached": Decimal("0.00005"), "output": Decimal("0.003")}
    assert of_price(db, got) == by_hand
    reasoned = {"output": Decimal("0.00236"), "reasoning": Decimal("0.00064")}
    assert of_price(db, got, 64) == by_hand | reasoned
    whole = of_price(db, got, 300)
    assert (whole["reasoning"], whole.get("output")) == (Decimal("0.003"), None)
    assert of_price(db, got, 301) == whole, "more reasoning than output is a mistake of the usage"


def test_what_a_third_of_an_indivisible_amount_leaves_goes_to_output(db: psycopg.Connection) -> None:
    cost = Decimal("0.0000001")
    found = kinds(db, cost, f"[{line('output_text', 3, cost)}]", 1)
    assert found == {"reasoning": Decimal("0.000000033333"), "output": Decimal("0.000000066667")}


def test_a_region_and_a_window_and_tools_are_told_apart(db: psycopg.Connection) -> None:
    plain = of_price(db, price(db, "gpt-6.1-sol", SOL, endpoint="/v1/responses"))
    abroad = of_price(db, price(db, "gpt-6.1-sol", SOL | {"region": "eu"}, {"web_search_calls": 1}))
    assert abroad == plain | {"region": Decimal("0.00231"), "tools": Decimal("0.01")}
    whole = of_price(db, price(db, "gpt-6.1-sol", WINDOWED))
    reduced = of_price(db, price(db, "gpt-6.1-sol", WINDOWED | {"completion_window": "2h"}, {"file_search_calls": 2}))
    assert reduced == {kind: dollars * Decimal("0.7") for kind, dollars in whole.items()} | {"tools": Decimal("0.005")}


def test_reasoning_is_that_of_the_model_asked_and_not_of_a_tool_s(db: psycopg.Connection) -> None:
    assert kinds(db, 5, f"[{line('output_text', 10, 0)}, {line('output_text', 10, 5)}]", 10) == {"output": 5}


@pytest.mark.parametrize(("cost", "lines"), [
    (None, '[{"dimension": "input_text", "quantity": 1, "cost": null}]'), (None, None), (Decimal(0), None),
    (Decimal(0), "[]"), (Decimal(3), None), (Decimal(3), "[]"),
])  # fmt: skip
def test_a_call_without_a_cost_or_without_lines_has_no_kinds(db: psycopg.Connection, cost: Any, lines: Any) -> None:
    assert kinds(db, cost, lines, 5) == {}


def test_lines_that_no_call_should_have_stop_nobody_from_settling_it(db: psycopg.Connection) -> None:
    odd = [
        line("output_text", 0, 1),
        line("input_text", 5, None),
        line("output_text", 0, 2).replace("0,", "null,"),
        "{}",
    ]
    for each in odd:
        assert set(kinds(db, 3, f"[{each}]", 5)) <= {"output"}


@examples(150)
@given(
    before=st.lists(st.tuples(st.sampled_from(TOKENS), AMOUNT), min_size=1, max_size=7),
    share=st.integers(-1000, 1000),
    after=st.lists(st.tuples(st.sampled_from([name for name, kind in KINDS.items() if kind]), AMOUNT), max_size=4),
    reasoning=st.none() | st.integers(0, 200),
)
def test_whatever_the_lines_are_the_kinds_add_up_and_none_is_negative(
    db: psycopg.Connection, before: Any, share: int, after: Any, reasoning: int | None
) -> None:
    tokens = sum(cost for _, cost in before)
    lines = [(name, 100, cost) for name, cost in before]
    if tokens and share:
        lines.append(("completion_window", tokens, round(tokens * share / 1000, 12)))
    lines += [(name, 1, cost) for name, cost in after]
    cost = sum(cost for _, _, cost in lines)
    found = kinds(db, cost, f"[{','.join(line(*each) for each in lines)}]", reasoning)
    assert sum(found.values()) == cost
    assert min(found.values(), default=0) >= 0


COUNT = st.integers(0, 100_000)


@examples(100)
@given(
    model=st.sampled_from(["gpt-5", "gpt-5.4", "gpt-audio", "gpt-realtime", "gpt-4o", "gpt-image-1.5", "gpt-6.1-sol"]),
    counts=st.lists(COUNT, min_size=7, max_size=7),
    tools=st.none() | st.fixed_dictionaries({"web_search_calls": st.integers(0, 3)}),
    more=st.sampled_from(
        [{}, {"region": "eu"}, {"completion_window": "8h"}, {"region": "us", "completion_window": "2h"}]
    ),
)
def test_whatever_was_used_the_kinds_are_the_cost(
    db: psycopg.Connection, model: str, counts: list[int], tools: Any, more: dict[str, str]
) -> None:
    text, cached, write, audio, image, out, spoken = counts
    usage = chat(
        text + cached + write + audio + image, out + spoken,
        prompt={"cached_tokens": cached, "cache_write_tokens": write, "audio_tokens": audio, "image_tokens": image},
        completion={"audio_tokens": spoken, "reasoning_tokens": out // 3},
    )  # fmt: skip
    got = price(db, model, usage | more, tools)
    found = of_price(db, got, out // 3)
    assert sum(found.values()) == (got.cost or 0)
    assert min(found.values(), default=0) >= 0


def test_who_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "cost_kinds") == {"authenticated"}
