"""What a request asks of the sandbox: JSON, tools, limits, reasoning. Asked with the unmodified openai SDK."""

from __future__ import annotations

import json
from enum import Enum
from typing import Literal

import openai
import pytest
from pydantic import BaseModel, Field

from webapp.sandbox import simulator as sandbox

ASK = [{"role": "user", "content": "What is the weather in Paris?"}]


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Node(BaseModel):
    value: int
    children: list[Node]
    parent: Node | None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=3, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    code: str = Field(pattern=r"^[A-Z]{2}-\d{4}$")


class Everything(BaseModel):
    colour: Colour
    tree: Node
    pets: list[Cat | Dog]
    dog: Dog
    note: str | None
    share: float = Field(gt=0, lt=1)


class GetWeather(BaseModel):
    city: str
    unit: Literal["celsius", "fahrenheit"]


class SendMail(BaseModel):
    to: str


TOOLS = [openai.pydantic_function_tool(GetWeather), openai.pydantic_function_tool(SendMail)]
FLAT = [{"type": "function", **tool["function"]} for tool in TOOLS]


def chat(sdk, **fields):
    return sdk.chat.completions.create(model="gpt-4o", messages=fields.pop("messages", ASK), **fields)


def called(answer):
    return [call.function.name for call in answer.choices[0].message.tool_calls or []]


def test_pydantic_models_are_parsed_from_chat_and_responses_and_their_streams(sdk):
    models = []
    whole = sdk.chat.completions.parse(model="gpt-4o", messages=ASK, response_format=Everything)
    models.append(whole.choices[0].message.parsed)
    with sdk.chat.completions.stream(model="gpt-4o", messages=ASK, response_format=Everything) as stream:
        assert [event.type for event in stream][-1] == "content.done"
        models.append(stream.get_final_completion().choices[0].message.parsed)
    models.append(sdk.responses.parse(model="gpt-5", input="Hi", text_format=Everything).output_parsed)
    with sdk.responses.stream(model="gpt-5", input="Hi", text_format=Everything) as stream:
        models.append(stream.get_final_response().output_parsed)
    first, *others = models
    assert isinstance(first, Everything) and others == [first] * 3
    assert (first.colour, first.share, first.dog.code) == (Colour.RED, 0.5, "AA-0000")


def test_a_json_object_needs_the_word_and_fills_a_schema_that_the_messages_hold(sdk):
    form = {"type": "json_object"}
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        chat(sdk, response_format=form)
    answer = chat(sdk, messages=[{"role": "user", "content": "As JSON"}], response_format=form)
    assert "sandbox" in json.loads(answer.choices[0].message.content)["message"]
    system = f"Answer in JSON of this schema: {json.dumps(GetWeather.model_json_schema())} and nothing {{else}}"
    answer = chat(sdk, messages=[{"role": "system", "content": system}, *ASK], response_format=form)
    assert GetWeather.model_validate_json(answer.choices[0].message.content)
    asked = f"JSON like {json.dumps(Node.model_json_schema())}"
    answer = sdk.responses.create(model="gpt-4o", input=asked, text={"format": form})
    assert Node.model_validate_json(answer.output_text)


@pytest.mark.parametrize("strict", [True, False])
def test_a_bad_schema_is_refused_like_openai_does(sdk, strict):
    schema = {"type": "object", "properties": {"a": {"type": "nonsense"}}}
    told = {"name": "x", "strict": strict, "schema": schema}
    with pytest.raises(openai.BadRequestError, match="Invalid schema for response_format 'x'") as error:
        chat(sdk, response_format={"type": "json_schema", "json_schema": told})
    assert error.value.param == "response_format"
    with pytest.raises(openai.BadRequestError, match="Invalid schema for response_format 'x'") as error:
        sdk.responses.create(model="gpt-4o", input="Hi", text={"format": {"type": "json_schema", **told}})
    assert (error.value.param, error.value.code) == ("text.format.schema", "invalid_json_schema")
    tool = {"type": "function", "function": {"name": "x", "strict": strict, "parameters": schema}}
    with pytest.raises(openai.BadRequestError, match="Invalid schema for function 'x'") as error:
        chat(sdk, tools=[tool])
    assert error.value.code == "invalid_function_parameters"


def test_a_tool_is_called_with_valid_arguments_and_its_result_ends_the_loop(sdk):
    answer = sdk.chat.completions.parse(model="gpt-4o", messages=ASK, tools=TOOLS)
    (call,) = answer.choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, GetWeather) and answer.choices[0].finish_reason == "tool_calls"
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    done = chat(sdk, messages=[*ASK, answer.choices[0].message, result], tools=TOOLS)
    assert called(done) == [] and "sandbox" in done.choices[0].message.content
    again = chat(sdk, messages=[*ASK, answer.choices[0].message, result, *ASK], tools=TOOLS)
    assert called(again) == ["GetWeather"]


def test_tool_choice_decides_which_tools_are_called(sdk):
    both = [{"role": "user", "content": "Mail me the weather"}]
    named = {"type": "function", "function": {"name": "SendMail"}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named]}}
    assert called(chat(sdk, tools=TOOLS, tool_choice="none")) == []
    assert called(chat(sdk, tools=TOOLS, tool_choice=named)) == ["SendMail"]
    assert called(chat(sdk, tools=TOOLS, tool_choice=allowed)) == ["SendMail"]
    assert called(chat(sdk, tools=TOOLS, messages=both)) == ["GetWeather", "SendMail"]
    assert called(chat(sdk, tools=TOOLS, messages=both, parallel_tool_calls=False)) == ["GetWeather"]
    other = {"type": "function", "function": {"name": "Other"}}
    with pytest.raises(openai.BadRequestError, match="not found in 'tools'"):
        chat(sdk, tools=TOOLS, tool_choice=other)
    with pytest.raises(openai.BadRequestError, match="only allowed when 'tools'"):
        chat(sdk, tool_choice="required")


def test_required_calls_one_tool_after_the_other(sdk):
    first = chat(sdk, tools=TOOLS, tool_choice="required")
    result = {"role": "tool", "tool_call_id": first.choices[0].message.tool_calls[0].id, "content": "sunny"}
    second = chat(sdk, messages=[*ASK, first.choices[0].message, result], tools=TOOLS, tool_choice="required")
    assert (called(first), called(second)) == (["GetWeather"], ["SendMail"])


def test_of_many_tools_only_one_that_is_named_is_called(sdk):
    many = [{"type": "function", "function": {"name": name}} for name in ("write", "delete_file", "shell", "weather")]
    assert called(chat(sdk, tools=many[:3])) == ["write"]
    assert called(chat(sdk, tools=many, messages=[{"role": "user", "content": "Hello"}])) == []
    assert called(chat(sdk, tools=many)) == ["weather"]
    assert called(chat(sdk, tools=many, tool_choice="required", messages=[{"role": "user", "content": "Hi"}]))


def test_tools_stream_and_custom_and_old_functions_are_called(sdk):
    with sdk.chat.completions.stream(model="gpt-4o", messages=ASK, tools=TOOLS, n=2) as stream:
        final = stream.get_final_completion()
    assert all(choice.message.tool_calls[0].function.parsed_arguments.city for choice in final.choices)
    grammar = {"type": "grammar", "grammar": {"syntax": "regex", "definition": r"^\d{3}$"}}
    custom = [{"type": "custom", "custom": {"name": "digits", "format": grammar}}]
    assert chat(sdk, tools=custom).choices[0].message.tool_calls[0].custom.input == "000"
    function = TOOLS[0]["function"]
    old = chat(sdk, functions=[function]).choices[0]
    assert (old.message.function_call.name, old.finish_reason) == ("GetWeather", "function_call")
    *_, last = chat(sdk, functions=[function], stream=True)
    assert last.choices[0].finish_reason == "function_call"


def test_limits_stops_and_choices_count(sdk):
    short = chat(sdk, max_completion_tokens=3, n=2)
    assert [choice.message.content for choice in short.choices] == ["This is the "] * 2
    assert (short.choices[0].finish_reason, short.usage.completion_tokens) == ("length", 6)
    stopped = chat(sdk, stop=["nowhere", "SpendAI"]).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == ("This is the ", "stop")
    old = sdk.completions.create(model="gpt-3.5-turbo-instruct", prompt=["a", "b"], max_tokens=2, n=2, logprobs=1)
    assert [choice.index for choice in old.choices] == [0, 1, 2, 3]
    assert old.choices[0].logprobs.text_offset == [0, 4] and old.usage.completion_tokens == 8
    chunks = list(chat(sdk, max_tokens=3, n=2, stream=True))
    assert [chunk.choices[0].index for chunk in chunks if chunk.choices[0].finish_reason == "length"] == [0, 1]
    for wrong in ({"n": 0}, {"n": 129}, {"max_tokens": "x"}, {"stop": 7}, {"top_logprobs": 21, "logprobs": True}):
        with pytest.raises(openai.BadRequestError):
            chat(sdk, **wrong)


def test_log_probabilities_belong_to_each_token_also_in_streams(sdk):
    whole = chat(sdk, logprobs=True, top_logprobs=2).choices[0]
    assert "".join(one.token for one in whole.logprobs.content) == whole.message.content
    assert [len(one.top_logprobs) for one in whole.logprobs.content[:2]] == [2, 2]
    chunks = [chunk.choices[0] for chunk in chat(sdk, logprobs=True, stream=True)]
    told = [chunk for chunk in chunks if chunk.delta.content]
    assert told and all(chunk.logprobs.content[0].token == chunk.delta.content for chunk in told)
    include = ["message.output_text.logprobs"]
    part = sdk.responses.create(model="gpt-4o", input="Hi", include=include, top_logprobs=1).output[0].content[0]
    assert "".join(one.token for one in part.logprobs) == part.text


def test_reasoning_models_reason_as_much_as_asked(sdk):
    def thought(model, **fields):
        usage = sdk.chat.completions.create(model=model, messages=ASK, **fields).usage
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        return usage.completion_tokens_details.reasoning_tokens

    assert [thought("gpt-5", reasoning_effort=effort) for effort in ("minimal", "low", "high")] == [0, 64, 256]
    assert (thought("o3"), thought("gpt-4o"), thought("gpt-5.1"), thought("gpt-5-chat-latest")) == (128, 0, 0, 0)
    assert thought("o3", max_completion_tokens=20) == 20
    with pytest.raises(openai.BadRequestError, match="Supported values are"):
        thought("o3", reasoning_effort="enormous")


def test_responses_reason_call_tools_and_come_to_an_end(sdk):
    ask = {
        "model": "gpt-5",
        "tools": FLAT,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
    }
    first = sdk.responses.create(input=ASK, **ask)
    thought, call = first.output
    assert thought.summary[0].text and thought.encrypted_content and call.name == "GetWeather"
    assert first.usage.output_tokens_details.reasoning_tokens == 128
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    for more in ({"input": [*ASK, *first.output, result]}, {"input": [result], "previous_response_id": first.id}):
        done = sdk.responses.create(**ask, **more)
        assert [item.type for item in done.output] == ["reasoning", "message"] and "sandbox" in done.output_text
        assert done.previous_response_id == more.get("previous_response_id")


def test_a_response_that_reaches_its_limit_is_incomplete(sdk):
    short = sdk.responses.create(model="gpt-4o", input="Hi", max_output_tokens=16)
    assert (short.status, short.incomplete_details.reason, short.usage.output_tokens) == (
        "incomplete",
        "max_output_tokens",
        16,
    )
    assert short.output[0].status == "incomplete" and len(short.output_text) == 64
    *_, last = sdk.responses.create(model="gpt-5", input="Hi", max_output_tokens=16, stream=True)
    assert (last.type, [item.type for item in last.response.output]) == ("response.incomplete", ["reasoning"])


def test_a_response_sends_its_events_in_openais_order(sdk):
    stream = sdk.responses.create(model="gpt-5", input=ASK, reasoning={"summary": "auto"}, stream=True)
    events = list(stream)
    assert list(dict.fromkeys(event.type.removeprefix("response.") for event in events)) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    custom = {"type": "custom", "name": "note"}
    stream = sdk.responses.create(model="gpt-4o", input=ASK, tools=[*FLAT, custom], tool_choice="required", stream=True)
    assert [event.type for event in stream if event.type.endswith("_arguments.done")] == [
        "response.function_call_arguments.done"
    ]
    stream = sdk.responses.create(model="gpt-4o", input=ASK, tools=[custom], stream=True)
    assert "response.custom_tool_call_input.done" in [event.type for event in stream]


def test_the_same_request_gets_the_same_answer_and_usage(sdk):
    def asked():
        answer = chat(sdk, tools=TOOLS, seed=7, n=2)
        calls = [[call.function for call in choice.message.tool_calls] for choice in answer.choices]
        response = sdk.responses.create(model="gpt-5", input="Hi")
        return calls, answer.usage, response.output_text, response.usage

    assert asked() == asked()


def test_an_answer_that_is_too_large_is_refused():
    messages = [{"role": "user", "content": "x"}]
    schema = {"type": "object", "properties": {"a": {"type": "string", "minLength": 9999}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    for fields in ({"n": 128, "logprobs": True, "top_logprobs": 20, "response_format": form}, {"n": 128}):
        body = json.dumps({"model": "gpt-4o", "messages": messages, **fields}).encode()
        assert sandbox.answer("POST", "/v1/chat/completions", {}, body).status == (400 if "logprobs" in fields else 200)
