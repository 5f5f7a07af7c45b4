"""The output file of a batch: what its requests used, read while it passes."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from checks import examples
from hypothesis import given
from hypothesis import strategies as st

from webapp.metering import AnswerFacts, Meter, RequestFacts
from webapp.metering.batch_output import LONG, MAX_KEPT_CHARS
from webapp.metering.request import BATCH_OUTPUT

PADDING = "x" * 100_000  # longer than what is decoded as a whole


def line(usage: Any, **body: Any) -> dict[str, Any]:
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5.4", "usage": usage} | body
    return {"id": "batch_req_1", "custom_id": "a", "error": None,
            "response": {"status_code": 200, "request_id": "r", "body": answer}}  # fmt: skip


def chat(tokens_in: Any, out: Any = 5) -> dict[str, Any]:
    return {"prompt_tokens": tokens_in, "completion_tokens": out}


def response(tokens_in: Any, out: Any = 5) -> dict[str, Any]:
    return {"input_tokens": tokens_in, "output_tokens": out}


FAILED = {"id": "batch_req_2", "custom_id": "b", "response": {"status_code": 400, "body": {"error": {"code": "x"}}}}
NOTHING = {"id": "batch_req_3", "custom_id": "c", "response": None, "error": {"code": "batch_expired"}}


def joined(*lines: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def read(file: bytes, step: int = 4096, *, complete: bool = True, status: int = 200, encoding: str = "",
         method: str = "GET", endpoint: str = BATCH_OUTPUT) -> AnswerFacts:  # fmt: skip
    meter = Meter(endpoint, method, RequestFacts(), status, "application/octet-stream", encoding)
    passed = b"".join(meter.feed(file[at : at + step]) for at in range(0, len(file), step))
    meter.finish()
    assert passed + meter.release() == file
    return meter.result(complete)


def told(file: bytes, **options: Any) -> dict[str, Any] | None:
    facts = read(file, **options)
    assert (facts.usage, facts.tools, facts.object_id, facts.model) == (None, None, None, None)
    return facts.listed[0].usage if facts.listed else None


@given(
    sizes=st.lists(st.tuples(st.integers(1, 3 * LONG), st.booleans(), st.sampled_from(("", PADDING))), max_size=6),
    step=st.sampled_from((1, 7, 4096, 10**6)),
    newline=st.booleans(),
)
@examples(40)
def test_it_adds_up_and_keeps_the_long_ones(sizes: list[tuple[int, bool, str]], step: int, newline: bool) -> None:
    lines = [line(chat(size) if old else response(size), padding=more) for size, old, more in sizes]
    file = joined(FAILED, *lines, NOTHING)[: None if newline else -1]
    long = [each["response"]["body"]["usage"] for each, size in zip(lines, sizes, strict=True) if size[0] > LONG]
    short: dict[str, int] = {}
    for size, old, _ in sizes:
        for name, count in (chat(size) if old else response(size)).items():
            short[name] = short.get(name, 0) + count if size <= LONG else short.get(name, 0)
    by_length = {"over": LONG, "short": {name: count for name, count in short.items() if count}, "long": long}
    expected = {"input_tokens": sum(size[0] for size in sizes), "output_tokens": 5 * len(sizes), "by_length": by_length}
    assert told(file, step=step if len(file) < 10_000 else max(step, 4096)) == (expected if sizes else None)


def test_a_compressed_file_is_read_too() -> None:
    assert told(gzip.compress(joined(line(chat(LONG)))), encoding="gzip")["input_tokens"] == LONG


@pytest.mark.parametrize("file", [
    b"", b"\n\n", b"%PDF-1.7 \x00\xff", b"a,b\n1,2\n", b"[]", b'"text"', b"{", b"{}", b"null\n", b"\xff\xfe{",
    b'{"messages": [{"role": "user"}]}\n' * 9, joined(FAILED, NOTHING), joined(line(None)), b"{" * 200_000,
    joined(line(chat(1))) + b"rubbish\n", joined(line(chat(1))) + joined(line(chat(1)))[:-9],
    joined(line(chat(1)), [1]), joined(line(chat(1)), line(chat(-1))), joined(line(chat(1)), line(chat(1, -1))),
    joined(line(chat(1)), line(chat(1, -1.5))),
    joined(line(chat(1)), line(chat("1"))), joined(line(chat(1)), line(chat(10**70))), joined(line(chat(1)), line([])),
    joined(line(chat(1)), line("x")), joined(line(chat(1)), line({})),
    joined(line(chat(1))) + joined(line(chat(1))).replace(b'"usage"', b'"usage": {"prompt_tokens": 9}, "usage"'),
    joined(*[line(chat(LONG + 1))] * (MAX_KEPT_CHARS // 40)), b" " + joined(line(chat(1))),
])  # fmt: skip
def test_another_file_or_one_that_cannot_be_read_tells_nothing(file: bytes) -> None:
    assert told(file) is None


def test_a_request_that_used_nothing_keeps_none_of_the_others_from_counting() -> None:
    assert told(joined(line(chat(0, 0)), line(chat(5)), line(response(0, 0)))) == told(joined(line(chat(5)))) | {
        "by_length": {"over": LONG, "short": chat(5) | response(0, 0), "long": []}
    }


def test_as_many_long_ones_as_are_kept() -> None:
    assert len(told(joined(*[line(chat(LONG + 1))] * 5000))["by_length"]["long"]) == 5000


def test_empty_lines_of_any_kind_are_none() -> None:
    file = joined(line(chat(1))).replace(b"\n", b"\r\n\r\n\n")
    assert told(file) == told(file, step=1) == told(joined(line(chat(1))))


@pytest.mark.parametrize("options", [
    {"complete": False}, {"status": 206}, {"status": 404}, {"method": "HEAD"}, {"encoding": "br"},
    {"endpoint": "/v1/containers/{container_id}/files/{file_id}/content"},
])  # fmt: skip
def test_only_a_whole_file_counts(options: dict[str, Any]) -> None:
    assert told(joined(line(chat(1))), **options) is None


def test_nothing_of_an_answer_is_kept() -> None:
    body = line(chat(LONG + 1) | {"note": "secret words of a prompt that are longer than any name of a count " * 3})
    assert "secret" not in json.dumps(told(joined(body)))


SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search"}}
DRAWN = {"type": "image_generation_call", "status": "completed"}


def answered(*output: Any, tools: Any = (), **more: Any) -> dict[str, Any]:
    return line(response(10), object="response", tools=list(tools), output=list(output), **more)


def ran(container: str) -> dict[str, Any]:
    return {"type": "code_interpreter_call", "status": "completed", "container_id": container}


def test_calls_of_tools_are_added_up_and_a_container_of_several_requests_has_one_session() -> None:
    place = {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}
    file = joined(answered(SEARCH, SEARCH, ran("c1"), ran("c2"), tools=[place]), answered(ran("c2"), SEARCH),
                  answered(ran("c3"), tools=[place]), answered(), line(chat(5), model="gpt-5-search-api"))  # fmt: skip
    assert told(file)["tools"] == {"web_search_calls": 4, "container_sessions:4g": 3}


def test_what_models_drew_inside_of_responses_is_added_up() -> None:
    def drew(model: str | None, tokens: int | None, svg: int = 0) -> dict[str, Any]:
        block = tokens and {"input_tokens": 5, "output_tokens": tokens}
        tool = {"type": "image_generation"} | ({"model": model} if model else {})
        used = {"svg_usage": {"model": "gpt-5.4", "input_tokens": svg, "output_tokens": 1}} if svg else {}
        items = [DRAWN, *([DRAWN | used] if svg else [])]
        return answered(*items, tools=[tool], tool_usage={"image_gen": block})

    same = told(joined(drew("gpt-image-2", 100), drew("gpt-image-2", 11, svg=7), drew("gpt-image-2", 1, svg=2)))
    assert same["tool_usage"] == {"image_gen": {"input_tokens": 15, "output_tokens": 112}, "image_model": "gpt-image-2"}
    assert same["svg_usage"] == {"model": "gpt-5.4", "input_tokens": 9, "output_tokens": 2}
    assert same["by_length"]["short"] == response(30, 15)
    for other in (drew("gpt-image-1", 5), drew(None, 5), drew("gpt-image-2", None)):  # the last was drawn, not counted
        for lines in ((drew("gpt-image-2", 100), other), (other, drew("gpt-image-2", 100))):
            assert told(joined(*lines))["tool_usage"]["image_model"] is None
