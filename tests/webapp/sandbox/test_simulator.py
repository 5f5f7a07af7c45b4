"""The sandbox upstream, as the unmodified openai SDK sees it over HTTP."""

from __future__ import annotations

import base64
import io
import json
import struct
import tracemalloc
import wave

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.metering import Meter, RequestFacts, read_json_request
from webapp.sandbox import simulator as sandbox

HELLO = [{"role": "user", "content": "Hello there"}]


def test_a_chat_completion_says_that_it_is_the_sandbox(sdk):
    raw = sdk.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)
    answer = raw.parse()
    assert "SpendAI sandbox" in answer.choices[0].message.content
    assert "no OpenAI key is set" in answer.choices[0].message.content
    assert (answer.model, answer.service_tier) == ("gpt-4o-mini-2024-07-18", "default")
    assert (answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (9, 0)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert raw.headers["x-request-id"].startswith("req_") and raw.headers["openai-version"] == "2020-10-01"


def test_a_streamed_chat_completion_tells_usage_only_when_asked(sdk):
    whole = sdk.chat.completions.create(model="gpt-4o", messages=HELLO)
    ask = {"model": "gpt-4o", "messages": HELLO, "stream": True}
    plain = list(sdk.chat.completions.create(**ask))
    asked = list(sdk.chat.completions.create(**ask, stream_options={"include_usage": True}))
    for chunks in (plain, asked):
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == whole.choices[0].message.content
    assert all(chunk.usage is None for chunk in plain) and plain[-1].choices[0].finish_reason == "stop"
    assert asked[-1].choices == [] and asked[-1].usage == whole.usage


def test_completions_answer_and_stream(sdk):
    assert sdk.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hi").usage.prompt_tokens == 2
    *_, last = sdk.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hi", stream=True)
    assert last.choices[0].finish_reason == "stop"


def test_a_response_and_its_stream_say_the_same(sdk):
    whole = sdk.responses.create(model="gpt-5-mini", input="Hello", instructions="Be kind")
    assert "SpendAI sandbox" in whole.output_text and whole.model == "gpt-5-mini-2025-08-07"
    with sdk.responses.stream(model="gpt-5-mini", input="Hello", instructions="Be kind") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert (final.output_text, final.usage) == (whole.output_text, whole.usage)


@pytest.mark.parametrize(("model", "size"), [("text-embedding-3-small", 1536), ("text-embedding-3-large", 3072)])
def test_embeddings_have_the_models_length_and_repeat(sdk, model, size):
    answer = sdk.embeddings.create(model=model, input=["a", "b", "a"])
    first, second, again = (item.embedding for item in answer.data)
    assert len(first) == size and first == again != second
    assert abs(sum(number * number for number in first) - 1) < 1e-4
    plain = sdk.embeddings.create(model=model, input="a", encoding_format="float").data[0].embedding
    assert plain == pytest.approx(first)
    assert len(sdk.embeddings.create(model=model, input="a", dimensions=256).data[0].embedding) == 256


def test_moderations_and_models_parse(sdk):
    assert sdk.moderations.create(input=["a", "b"]).results[1].flagged is False
    assert "gpt-4o-mini" in [model.id for model in sdk.models.list()]
    assert sdk.models.retrieve("my-own-model").id == "my-own-model"


def test_images_are_real_pictures_and_tell_tokens_like_gpt_image(sdk):
    answer = sdk.images.generate(model="gpt-image-1", prompt="a cat", n=2)
    picture = base64.b64decode(answer.data[1].b64_json)
    assert picture.startswith(b"\x89PNG") and struct.unpack(">II", picture[16:24]) == (1024, 1024)
    assert answer.usage.output_tokens == 544
    assert sdk.images.generate(model="dall-e-3", prompt="a cat").usage is None
    assert sdk.images.edit(model="gpt-image-1", image=picture, prompt="a dog", n=2).usage.output_tokens == 544


def test_images_speech_and_transcripts_stream_and_tell_their_usage_last(sdk):
    *_, image = sdk.images.generate(model="gpt-image-1", prompt="a cat", stream=True)
    assert (image.type, image.usage.output_tokens) == ("image_generation.completed", 272)
    *_, edited = sdk.images.edit(model="gpt-image-1", image=b"x", prompt="a dog", stream=True)
    assert (edited.type, edited.usage.output_tokens) == ("image_edit.completed", 272)
    *_, text = sdk.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", b"x"), stream=True)
    assert (text.type, text.usage.input_tokens) == ("transcript.text.done", 10)
    spoken = sdk.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Hello", stream_format="sse")
    assert b'"type":"speech.audio.done","usage":{"input_tokens":2' in spoken.read()


def test_the_lesser_endpoints_of_responses_and_images_answer(sdk):
    assert sdk.responses.input_tokens.count(model="gpt-5", input="Hello").input_tokens == 2
    assert sdk.responses.compact(model="gpt-5", input="Hello").usage.input_tokens == 2
    assert len(sdk.images.create_variation(image=b"x", n=2).data) == 2


def test_speech_is_a_real_sound_and_transcripts_come_in_every_format(sdk):
    sound = sdk.audio.speech.create(model="tts-1", voice="alloy", input="Hello", response_format="wav").read()
    with wave.open(io.BytesIO(sound)) as opened:
        assert (opened.getnframes(), opened.getframerate()) == (8000, 24000)  # a third of a second: 5 of 15 characters
    upload = ("hello.wav", sound)
    assert sdk.audio.transcriptions.create(model="whisper-1", file=upload).usage.seconds == 1
    assert sdk.audio.transcriptions.create(model="gpt-4o-transcribe", file=upload).usage.input_tokens == 10
    verbose = sdk.audio.transcriptions.create(model="whisper-1", file=upload, response_format="verbose_json")
    assert verbose.duration == 1
    for kind in ("text", "srt", "vtt"):
        assert "SpendAI sandbox" in sdk.audio.transcriptions.create(
            model="whisper-1", file=upload, response_format=kind
        )
    assert "SpendAI sandbox" in sdk.audio.translations.create(model="whisper-1", file=upload).text


def test_unknown_models_are_served_as_asked(sdk):
    assert sdk.chat.completions.create(model="acme/größe-1", messages=HELLO).model == "acme/größe-1"


ODD = [None, True, 0, -1, 1.5, 10**30, "", "x\ud800", "base64", [], [1], ["a"], [None, 1], [[]], {}, {"a": [1]}]
NAMES = ("messages", "input", "prompt", "n", "voice", "stream", "stream_options", "instructions", "encoding_format")
MORE = ("dimensions", "response_format", "metadata", "store", "tools", "tool_choice", "functions", "function_call")
MORE += ("text", "reasoning", "reasoning_effort", "include", "stop", "logprobs", "top_logprobs", "parallel_tool_calls")
MORE += ("max_tokens", "max_completion_tokens", "max_output_tokens", "echo", "size", "quality", "background")
MORE += ("partial_images", "stream_format", "file", "image", "timestamp_granularities", "previous_response_id")
TOOL = {"type": "function", "name": "a", "function": {"name": "a"}, "custom": 7}
ODD += [[TOOL], TOOL, [{"type": "custom", "custom": {"name": "b", "format": []}}], [{"type": []}], {"type": {}}, "wav"]
ODD += [
    {"type": "allowed_tools", "tools": [TOOL], "allowed_tools": {"tools": [{}]}},
    {"format": {"type": "json_schema"}},
]
ODD += [
    [{"role": "tool", "tool_calls": [{"type": [], "function": 7}], "content": [7]}],
    [{"role": [], "type": {}}],
    "high",
]
ODD += [{"type": "json_schema", "name": "a", "schema": 7, "json_schema": {"name": "x", "schema": []}}, {"effort": []}]


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(sandbox._HANDLERS)),
    st.dictionaries(st.sampled_from(NAMES + MORE), st.sampled_from(ODD)),
    st.sampled_from(["gpt-4o", "dall-e-3", "", None, 7]),
)
def test_no_field_of_any_type_breaks_it(path, fields, model):
    sound = {"input": "x", "prompt": "x", "voice": "x", "messages": [], "dimensions": 8}
    body = json.dumps({"model": model, **sound, **fields}).encode()
    answer = sandbox.answer("POST", path, {}, body)
    assert b"".join(answer.chunks) and answer.status in (200, 400)


def test_lone_surrogates_and_line_ends_in_names_do_no_harm():
    body = json.dumps({"model": "a\r\nx-evil: 1\ud800", "messages": HELLO}).encode()
    answer = sandbox.answer("POST", "/v1/chat/completions", [], body)
    assert answer.status == 200 and "x-evil" not in str(answer.headers)
    assert json.loads(b"".join(answer.chunks))["model"] == "a\r\nx-evil: 1?"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"model": NaN}'])
def test_wrong_json_is_an_openai_shaped_400(body):
    answer = sandbox.answer("POST", "/v1/chat/completions", {"content-type": "application/json"}, body)
    error = json.loads(b"".join(answer.chunks))["error"]
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert error.keys() == {"message", "type", "param", "code"}


def test_missing_parameters_unknown_paths_and_methods_are_refused_like_openai(sdk):
    with pytest.raises(openai.BadRequestError, match="'messages'"):
        sdk.chat.completions.create(model="gpt-4o", messages=None)
    with pytest.raises(openai.BadRequestError, match="model parameter"):
        sdk.embeddings.create(model=None, input="x")
    with pytest.raises(openai.NotFoundError, match="keeps nothing"):
        sdk.files.list()
    assert sandbox.answer("GET", "/v1/chat/completions", [], b"").status == 405


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("endpoint", ["/v1/chat/completions", "/v1/completions", "/v1/responses"])
def test_the_meter_reads_the_sandbox_like_openai(endpoint, stream):
    body = json.dumps({"model": "gpt-4o", "stream": stream, "messages": HELLO, "prompt": "x", "input": "x"}).encode()
    facts = read_json_request(endpoint, body)
    answer = sandbox.answer("POST", endpoint, [], facts.body)
    meter = Meter(endpoint, "POST", facts, 200, dict(answer.headers)["content-type"], "")
    for chunk in answer.chunks:
        meter.feed(chunk)
    meter.finish()
    result = meter.result(True)
    assert result.complete and result.model == "gpt-4o-2024-08-06" and result.object_id
    assert next(value for key, value in result.usage.items() if key in ("prompt_tokens", "input_tokens")) > 0


def test_speech_for_tts_is_metered_by_characters():
    facts = read_json_request(
        "/v1/audio/speech", b'{"model":"tts-1","voice":"a","response_format":"wav","input":"gr\xc3\xbc\xc3\x9f dich"}'
    )
    answer = sandbox.answer("POST", "/v1/audio/speech", [], facts.body)
    meter = Meter("/v1/audio/speech", "POST", facts, 200, "audio/wav", "")
    sound = b"".join(meter.feed(chunk) for chunk in answer.chunks)
    meter.finish()
    assert meter.result(True).usage == {"characters": 9}
    assert (sound + meter.release()).startswith(b"RIFF")
    assert Meter("/v1/audio/speech", "POST", RequestFacts(), 200, "audio/wav", "").result(True).usage is None


@pytest.mark.parametrize(("kind", "status"), [("multipart/form-data; boundary=b", 200), ("audio/wav", 400)])
def test_an_upload_is_read_to_its_end_and_not_kept(kind, status):
    pieces, read = 512, 0  # 32 MiB

    def upload():
        nonlocal read
        yield b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(pieces):
            read += 1
            yield bytes(65536)
        yield b"\r\n--b--\r\n"

    tracemalloc.start()
    try:
        answer = sandbox.answer("POST", "/v1/audio/transcriptions", [("Content-Type", kind)], upload())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status, read) == (status, pieces)
    assert most < 8 * 1024 * 1024, "bytes held at once"
