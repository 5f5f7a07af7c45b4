"""Request facts: what is read from a body, and the one edit a streamed chat request gets."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.metering import FormReader, read_json_request

CHAT = "/v1/chat/completions"


def spliced(body: str | bytes, endpoint: str = CHAT) -> bytes:
    body = body.encode() if isinstance(body, str) else body
    facts = read_json_request(endpoint, body)
    assert facts.injected == (facts.body is not body)
    return facts.body


# --- facts


def test_model_stream_and_end_user_are_read():
    facts = read_json_request(CHAT, b'{"model":"gpt-4o","stream":false,"user":"u-1","messages":[]}')
    assert (facts.model, facts.stream, facts.end_user, facts.injected) == ("gpt-4o", False, "u-1", False)


def test_the_safety_identifier_is_the_end_user_before_user():
    assert read_json_request(CHAT, b'{"user":"old","safety_identifier":"new"}').end_user == "new"
    assert read_json_request(CHAT, b'{"user":"old","safety_identifier":7}').end_user == "old"


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], {}, ["x"]])
def test_only_strings_are_names(value):
    facts = read_json_request(CHAT, json.dumps({"model": value, "user": value, "stream": 1}).encode())
    assert (facts.model, facts.end_user, facts.stream) == (None, None, False)


def test_names_are_bounded_and_fit_for_postgres():
    facts = read_json_request(CHAT, json.dumps({"model": "m\0" * 500, "user": "\ud800u" * 500}).encode())
    assert (facts.model, facts.end_user) == ("m" * 200, "u" * 256)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"[1]", b'"x"', b"\xff\xfe{}", b'{"a":"\xff"}', b'{"a":1} x', b'{"a":1,}', b"{'a':1}"),
        *(b'{"stream":true,"a":' + b"[" * 200_000, '{"stream":true}'.encode("utf-16"), b"{" * 10),
    ],
)
def test_a_body_that_is_not_one_json_object_passes_as_it_is(body):
    facts = read_json_request(CHAT, body)
    assert facts.body is body
    assert (facts.model, facts.stream, facts.injected, facts.details) == (None, False, False, {})


def test_a_number_of_any_length_does_not_hide_the_rest():
    body = b'{"model":"m","stream":true,"seed":' + b"9" * 10_000 + b"}"
    assert read_json_request(CHAT, body).injected


def test_speech_is_counted_in_characters_of_its_input():
    facts = read_json_request("/v1/audio/speech", '{"model":"tts-1","input":"Grüße \\ud83d\\udc4b"}'.encode())
    assert facts.details == {"characters": 7}
    assert read_json_request("/v1/audio/speech", b'{"model":"tts-1","input":12345}').details == {}


def test_images_are_counted_with_their_size_and_quality():
    images = "/v1/images/generations"
    asked = read_json_request(images, b'{"model":"dall-e-3","n":2,"size":"1024x1792","quality":"hd"}')
    assert asked.details == {"images": 2, "size": "1024x1792", "quality": "hd"}
    for n in ("null", "0", "-1", '"x"', "1.5", "99999", "true"):
        assert read_json_request(images, f'{{"n":{n}}}'.encode()).details == {"images": 1}


# --- asking for usage


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}'),
        ('{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'),
        ('{"stream_options": {} ,"stream":true}', '{"stream_options": {"include_usage":true} ,"stream":true}'),
        (
            '{"stream":true,"stream_options":{"include_usage":false}}',
            '{"stream":true,"stream_options":{"include_usage":true}}',
        ),
        (
            '{"stream":true,"stream_options":{ "include_usage" : null , "x":1}}',
            '{"stream":true,"stream_options":{ "include_usage" : true , "x":1}}',
        ),
        (
            '{"stream":true,"stream_options":{"include_obfuscation":false}}',
            '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
        ),
        (
            '\ufeff{"stream":true,"stream_options":{"include_usage":false}}',
            '\ufeff{"stream":true,"stream_options":{"include_usage":true}}',
        ),
        (  # of two members with one name the last counts
            '{"stream_options":{"include_usage":true},"stream":true,"stream_options":{"include_usage":false}}',
            '{"stream_options":{"include_usage":true},"stream":true,"stream_options":{"include_usage":true}}',
        ),
        (
            '{"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}',
            '{"stream":true,"stream_options":{"include_usage":true,"include_usage":true}}',
        ),
        (  # an escaped name is the same name
            '{"stream":true,"stream\\u005foptions":{"include\\u005fusage":false}}',
            '{"stream":true,"stream\\u005foptions":{"include\\u005fusage":true}}',
        ),
        (  # a look-alike inside a message is not touched
            '{"messages":[{"content":"\\"stream_options\\":null","stream_options":null}],"stream":true}',
            '{"stream_options":{"include_usage":true},'
            '"messages":[{"content":"\\"stream_options\\":null","stream_options":null}],"stream":true}',
        ),
        (
            '\ufeff\n { \t"stream"\r:\n true } \n',
            '\ufeff\n {"stream_options":{"include_usage":true}, \t"stream"\r:\n true } \n',
        ),
    ],
)
def test_usage_is_asked_for_by_one_edit(body, expected):
    assert spliced(body).decode() == expected


@pytest.mark.parametrize(
    "body",
    [
        '{"stream":true,"stream_options":{"include_usage":true}}',
        '{"stream":true,"stream_options":{"include_usage":false,"include_usage":true}}',
        '{"stream":false}',
        '{"stream":"true"}',
        '{"stream":true,"stream":false}',
        "{}",
        '{"stream":true,"stream_options":"x"}',  # OpenAI shall refuse these itself
        '{"stream":true,"stream_options":[]}',
        '{"stream":true,"stream_options":{"include_usage":"yes"}}',
        '{"stream":true,"stream_options":{"include_usage":1}}',
    ],
)
def test_other_bodies_are_not_touched(body):
    assert spliced(body) == body.encode()


@pytest.mark.parametrize("endpoint", ["/v1/responses", "/v1/images/generations", "/v1/embeddings"])
def test_only_chat_and_text_completions_are_asked_for_usage(endpoint):
    assert spliced('{"stream":true}', endpoint) == b'{"stream":true}'
    assert spliced('{"stream":true}', "/v1/completions") != b'{"stream":true}'


# Without NUL, which marks the keys below.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\0"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "stream_options"]), inner),
    max_leaves=8,
)
OPTIONS = st.none() | st.dictionaries(st.sampled_from(["include_usage", "b"]), st.booleans() | st.none())


@given(
    st.dictionaries(st.text(max_size=4) | st.just("messages"), JSON, max_size=4),
    st.lists(OPTIONS, max_size=2),
    st.booleans(),
    st.sampled_from([None, 1, "\t"]),
    st.randoms(),
)
def test_the_edit_changes_one_thing_and_one_place(fields, options, ascii_only, indent, random):
    pairs = [*fields.items(), ("stream", True), *(("stream_options", value) for value in options)]
    random.shuffle(pairs)
    unique = [(f"{name}\0{number}", value) for number, (name, value) in enumerate(pairs)]
    text = json.dumps(dict(unique), ensure_ascii=ascii_only, indent=indent)
    for number in range(len(pairs)):  # duplicates, which a dict cannot hold
        text = text.replace(f'\\u0000{number}"', '"', 1)
    body = text.encode(errors="surrogatepass")
    try:
        before = json.loads(body.decode())
    except UnicodeDecodeError:
        return
    edited = spliced(body)
    wanted = before.get("stream_options") or {}
    assert json.loads(edited) == {**before, "stream_options": {**wanted, "include_usage": True}}
    head = next((i for i, (a, b) in enumerate(zip(body, edited, strict=False)) if a != b), len(body))
    tail = next((i for i, (a, b) in enumerate(zip(body[::-1], edited[::-1], strict=False)) if a != b), len(body))
    changed = len(body) - min(head + tail, len(body))
    assert changed <= len("false")  # at most the old value is gone


# --- forms


def form(length: int = 256_000, /, **fields) -> httpx.Request:
    """A form with these fields and a file of about ``length`` bytes."""
    files = {"file": ("a.wav", b"\r\n--x\r\n" + bytes(range(256)) * (length // 256), "audio/wav")}
    return httpx.Request("POST", "http://h/", data=fields, files=files)


def feed(request: httpx.Request, size: int) -> FormReader:
    reader, body = FormReader(request.headers["content-type"]), request.read()
    for at in range(0, len(body), size):
        reader.feed(body[at : at + size])
    return reader


@pytest.mark.parametrize(("size", "length"), [(1, 8_192), (7, 50_000), (1000, 256_000), (10_000_000, 256_000)])
def test_a_form_is_read_whatever_its_chunks(size, length):
    request = form(length, model="whisper-1", stream="true", user="u", response_format="srt", prompt="secret")
    facts = feed(request, size).facts("/v1/audio/transcriptions")
    assert (facts.model, facts.stream, facts.end_user) == ("whisper-1", True, "u")
    assert facts.details == {"response_format": "srt"}
    facts = feed(form(length, model="gpt-image-1", n="3", size="auto", quality="low"), size).facts("/v1/images/edits")
    assert facts.details == {"images": 3, "size": "auto", "quality": "low"}


def test_the_case_of_a_forms_content_type_does_not_matter():
    reader = FormReader("Multipart/Form-Data; BOUNDARY=x")
    reader.feed(b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--x--\r\n')
    assert reader.facts("/v1/audio/transcriptions").model == "whisper-1"


def test_a_long_form_keeps_no_file_and_no_unknown_field():
    reader = FormReader("multipart/form-data; boundary=x")
    reader.feed(b'--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n')
    for _ in range(200):
        reader.feed(bytes(1_000_000))
    assert len(reader._decoder.buffer) < 300_000
    reader.feed(
        b'\r\n--x\r\ncontent-disposition: form-data; name="model"\r\n\r\n' + b"m" * 1_000_000 + b"\r\n--x--\r\n"
    )
    assert reader.facts("/v1/images/edits").model == "m" * 200


def test_of_a_repeated_field_the_last_counts_and_none_is_kept_beyond_its_bound():
    part = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\n%s\r\n'
    reader = FormReader("multipart/form-data; boundary=x")
    reader.feed(part % b"one" + part % b"two" + b"--x--\r\n")
    assert reader.facts("/v1/images/edits").model == "two"
    reader = FormReader("multipart/form-data; boundary=x")
    for chunk in (part[:-4], *[b"m" * 60_000] * 50):
        reader.feed(chunk)
    assert 0 < len(reader._values["model"]) <= 4096


@given(
    st.sampled_from(["", "multipart/form-data", "multipart/form-data; boundary=x", "text/x; boundary=x"]), st.binary()
)
def test_garbage_never_stops_a_form(content_type, garbage):
    reader = FormReader(content_type)
    for piece in (garbage, b"\r\n--x\r\n\r\n" + garbage, b"\r\n--x--" + garbage):
        reader.feed(piece)
    assert reader.facts("/v1/images/edits").model is None


# --- metadata, which may become tags


@pytest.mark.parametrize("before", ["", "x" * 100_000])
def test_metadata_is_read_of_bodies_of_any_size(before):
    body = {"model": "m", "input": before, "metadata": {"team": "search", "n": 3, "no": [1]}}
    facts = read_json_request("/v1/responses", json.dumps(body).encode())
    assert facts.metadata.kept == {"team": "search", "n": "3"} and len(facts.metadata.lost) == 1


@pytest.mark.parametrize("metadata", [None, "team", ["team"], 5, {}])
def test_metadata_that_is_no_object_makes_no_tags(metadata):
    facts = read_json_request("/v1/responses", json.dumps({"metadata": metadata}).encode())
    assert (facts.metadata.kept, facts.metadata.lost) == ({}, {})


@pytest.mark.parametrize("fields", [
    {"metadata": '{"team": "search", "env": "prod"}'},
    {"metadata[team]": "search", "metadata[env]": "prod"},
    {"metadata": '{"team": "chat"}', "metadata[team]": "search", "metadata[env]": "prod"},
])  # fmt: skip
def test_metadata_of_a_form_is_read_as_sdks_write_it(fields):
    reader = FormReader("multipart/form-data; boundary=b")
    for name, value in fields.items():
        reader.feed(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    reader.feed(b"--b--\r\n")
    assert reader.facts("/v1/images/edits").metadata.kept == {"team": "search", "env": "prod"}


def test_a_form_keeps_a_bounded_part_of_endless_metadata():
    reader = FormReader("multipart/form-data; boundary=b")
    for n in range(900):
        reader.feed(f'--b\r\nContent-Disposition: form-data; name="metadata[k{n}]"\r\n\r\nv\r\n'.encode())
    facts = reader.facts("/v1/images/edits")
    assert len(facts.metadata.kept) == 16 and sum(facts.metadata.lost.values()) < 200
