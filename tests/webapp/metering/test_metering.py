"""The meter: what the client gets of an answer, when, and what the ledger learns from it."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib

import pytest
from captures import (
    CHAT_JSON,
    CHAT_SSE,
    CHAT_TEXT,
    CHAT_USAGE,
    CHAT_USAGE_EVENT,
    DONE,
    RESPONSE,
    RESPONSE_USAGE,
    chat_chunk,
    event,
    response_sse,
)
from hypothesis import given
from hypothesis import strategies as st

from webapp.metering import AnswerFacts, Meter, RequestFacts
from webapp.metering.plain import JsonCopy
from webapp.metering.stream import StreamReader

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
SSE, JSON = "text/event-stream; charset=utf-8", "application/json"


def not_asked(chunks: bytes) -> bytes:
    """Chunks as OpenAI sends them when usage was not asked for."""
    return chunks.replace(b',"usage":null', b"")


NOT_ASKED = not_asked(CHAT_TEXT)


def meter(endpoint=CHAT, content_type=SSE, *, facts=None, encoding="", status=200, method="POST"):
    return Meter(endpoint, method, facts or RequestFacts(), status, content_type, encoding)


def run(m: Meter, chunks, complete=True) -> tuple[bytes, bytes, AnswerFacts]:
    """What went out before the commit, what after it, and the facts: as the gateway drives a meter."""
    before, after, committed = b"", b"", False
    for chunk in chunks:
        if committed:
            after += m.feed(chunk)
            continue
        before += m.feed(chunk)
        if m.terminal:
            committed = True
            facts = m.result(complete)
            after += m.release()
    if not committed:
        m.finish()
        assert m.terminal
        facts = m.result(complete)
        after += m.release()
    return before, after, facts


def cut(data: bytes, places) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def splits(data: bytes):
    return st.lists(st.integers(0, len(data)), max_size=25).map(lambda places: cut(data, places))


# --- chat streams


@given(splits(CHAT_SSE))
def test_every_cut_of_a_chat_stream_gives_the_same_bytes_and_usage(chunks):
    before, after, facts = run(meter(), chunks)
    assert (before, after) == (CHAT_TEXT + CHAT_USAGE_EVENT, DONE)
    assert facts.usage == CHAT_USAGE
    assert (facts.model, facts.service_tier) == ("gpt-4o-mini-2024-07-18", "default")
    assert facts.object_id == "chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd"
    assert facts.complete and not facts.pending and facts.tools is None


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@given(data=st.data())
def test_injected_usage_is_hidden_and_nothing_else_whatever_the_line_ends(line_end, data):
    stream, visible = (s.replace(b"\n", line_end) for s in (CHAT_SSE, NOT_ASKED + DONE))
    chunks = data.draw(splits(stream))
    before, after, facts = run(meter(facts=RequestFacts(injected=True)), chunks)
    assert before + after == visible
    assert after == DONE.replace(b"\n", line_end)
    assert facts.usage == CHAT_USAGE


def test_chat_chunks_pass_at_once_also_when_usage_was_injected():
    m = meter(facts=RequestFacts(injected=True))
    for text in ("a", "b", "c"):
        assert m.feed(chat_chunk(text)) == not_asked(chat_chunk(text))
    assert m.feed(CHAT_USAGE_EVENT) == b"" and not m.terminal
    assert m.feed(DONE) == b"" and m.terminal


def test_a_decided_event_passes_before_it_is_finished():
    begun, rest = chat_chunk("hello")[:40], chat_chunk("hello")[40:]
    m = meter()
    assert m.feed(begun) == begun
    assert m.feed(rest) == rest


def test_only_the_end_marker_is_awaited_byte_by_byte():
    m = meter()
    given = [m.feed(bytes([byte])) for byte in b"data: [DONX]\n\n"]
    assert given == [b""] * 10 + [b"data: [DONX", b"]", b"\n", b"\n"]
    assert not m.terminal


def test_an_empty_choices_chunk_without_usage_is_not_hidden():
    azure = b'data: {"choices":[],"model":"","prompt_filter_results":[{"prompt_index":0}],"usage":null}\n\n'
    before, after, facts = run(meter(facts=RequestFacts(injected=True)), [azure, CHAT_SSE])
    assert before + after == not_asked(azure) + NOT_ASKED + DONE
    assert facts.model == "gpt-4o-mini-2024-07-18"


def test_usage_without_an_empty_list_of_choices_is_not_hidden():
    other = b'data: {"usage":{"prompt_tokens":1}}\n\n'
    before, after, _ = run(meter(facts=RequestFacts(injected=True)), [other, CHAT_SSE])
    assert before + after == other + NOT_ASKED + DONE


def test_an_event_is_hidden_whole_or_not_at_all():
    comment = b": " + b"x" * 5000
    before, after, facts = run(meter(facts=RequestFacts(injected=True)), [comment, b"\n" + CHAT_USAGE_EVENT, DONE])
    assert (before, after) == (comment + b"\n" + CHAT_USAGE_EVENT, DONE)
    assert facts.usage == CHAT_USAGE


def test_the_last_service_tier_of_a_stream_counts():
    usage = chat_chunk(None, CHAT_USAGE).replace(b'"service_tier":"default"', b'"service_tier":null')
    stream = chat_chunk("a", tier="priority") + chat_chunk("b", tier="default") + usage + DONE
    assert run(meter(), [stream])[2].service_tier == "default"


def test_a_stream_cut_before_its_usage_is_incomplete_and_keeps_its_id():
    before, after, facts = run(meter(), [CHAT_TEXT, chat_chunk("x")[:50]], complete=False)
    assert before + after == CHAT_TEXT + chat_chunk("x")[:50]
    assert facts.usage is None and not facts.complete
    assert facts.object_id == "chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd"


def test_a_stream_that_just_stops_is_incomplete_even_when_the_connection_ended_well():
    assert not run(meter(), [CHAT_TEXT], complete=True)[2].complete


def test_the_end_marker_counts_without_its_final_newline():
    _before, after, facts = run(meter(), [CHAT_TEXT + CHAT_USAGE_EVENT + b"data: [DONE]"])
    assert (after, facts.usage, facts.complete) == (b"data: [DONE]", CHAT_USAGE, True)


@pytest.mark.parametrize(
    "error", [b'event: error\ndata: {"error":{"message":"x"}}\n\n', b'data: {"error":{"a":1}}\n\n']
)
def test_an_error_event_passes_and_leaves_the_cost_unknown(error):
    before, after, facts = run(meter(), [CHAT_TEXT + error + DONE])
    assert before + after == CHAT_TEXT + error + DONE
    assert facts.usage is None and not facts.complete


def test_comments_byte_order_mark_and_long_lines_do_not_disturb():
    stream = (
        b"\xef\xbb\xbf: ping\n\n" + chat_chunk("x" * 100_000) + b": ping\n" + CHAT_USAGE_EVENT + b"retry: 3\n\n" + DONE
    )
    before, after, facts = run(meter(), cut(stream, range(1000, len(stream), 1000)))
    assert before + after == stream and facts.usage == CHAT_USAGE


def test_multi_line_data_is_one_event():
    split = CHAT_USAGE_EVENT.replace(b'"choices":[]', b'"choices":\ndata: []')
    before, after, facts = run(meter(facts=RequestFacts(injected=True)), [CHAT_TEXT, split, DONE])
    assert (before, after, facts.usage) == (NOT_ASKED, DONE, CHAT_USAGE)


@given(st.binary(max_size=400), st.booleans(), st.sampled_from([CHAT, RESPONSES]), st.data())
def test_garbage_passes_unchanged(garbage, injected, endpoint, data):
    chunks = data.draw(splits(garbage))
    before, after, _ = run(meter(endpoint, facts=RequestFacts(injected=injected)), chunks)
    assert before + after == garbage


def test_an_endless_event_is_passed_on_and_not_kept():
    m = meter(facts=RequestFacts(injected=True))
    passed = len(m.feed(b"data: {"))
    for _ in range(20):
        passed += len(m.feed(b"x" * 1024 * 1024))
    assert passed == 7 + 20 * 1024 * 1024
    assert m.feed(b"\n\n" + CHAT_USAGE_EVENT) == b"\n\n"


# --- responses, images, audio


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete", "response.failed"])
@given(data=st.data())
def test_every_terminal_event_of_a_response_is_held_and_metered(end, data):
    stream = response_sse(RESPONSE, end)
    before, after, facts = run(meter(RESPONSES), data.draw(splits(stream)))
    assert before + after == stream
    assert after == stream[stream.index(f"event: {end}".encode()) :]
    assert facts == AnswerFacts("gpt-5.4-2026-03-05", "default", RESPONSE_USAGE, None, RESPONSE["id"], False, True)


def test_the_terminal_event_is_known_without_its_name_line():
    stream = b"".join(line + b"\n" for line in response_sse(RESPONSE).split(b"\n") if not line.startswith(b"event:"))
    _before, after, facts = run(meter(RESPONSES), cut(stream, range(0, len(stream), 7)))
    assert after.startswith(b'data: {"type":"response.completed"') and facts.usage == RESPONSE_USAGE


@pytest.mark.parametrize("kind", ["response.output_text.done", "response.web_search_call.completed", "error"])
def test_the_steps_of_a_response_pass_before_they_are_finished(kind):
    for begun in (f"event: {kind}\nda".encode(), f'data: {{"type":"{kind}","te'.encode()):
        assert meter(RESPONSES).feed(begun) == begun or kind == "error"


def test_an_error_inside_a_response_stream_leaves_the_cost_unknown():
    begun = response_sse(RESPONSE).partition(b"event: response.completed")[0]
    for error in (event("error", message="m"), b'data: {"type":"error","message":"m"}\n\n'):
        before, after, facts = run(meter(RESPONSES), cut(begun + error, range(0, len(begun + error), 20)))
        assert before + after == begun + error
        assert not facts.complete and facts.usage is None


def test_a_cut_response_stream_keeps_its_id_and_claims_no_tier():
    stream = response_sse(RESPONSE)
    facts = run(meter(RESPONSES), [stream[: stream.index(b"event: response.completed")]], complete=False)[2]
    assert facts == AnswerFacts("gpt-5.4-2026-03-05", None, None, None, RESPONSE["id"], False, False)


def test_a_cut_stream_of_a_background_response_is_pending():
    stream = response_sse({**RESPONSE, "background": True})
    facts = run(meter(RESPONSES), [stream[: stream.index(b"event: response.completed")]], complete=False)[2]
    assert facts.pending and facts.object_id == RESPONSE["id"]


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ("/v1/images/generations", "image_generation.completed"),
        ("/v1/images/edits", "image_edit.completed"),
        ("/v1/audio/transcriptions", "transcript.text.done"),
        ("/v1/audio/speech", "speech.audio.done"),
    ],
)
def test_streams_of_images_and_audio_end_with_the_event_that_carries_usage(endpoint, kind):
    usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
    part = event(kind.rpartition(".")[0] + ".partial", b64_json="A" * 300_000)
    end = event(kind, b64_json="B" * 100_000, usage=usage)
    before, after, facts = run(meter(endpoint), cut(part + end, range(0, 400_000, 16_384)))
    assert (before, after, facts.usage, facts.complete) == (part, end, usage, True)


def test_several_streamed_images_are_one_usage():
    one = event("image_generation.completed", b64_json="A", usage={"input_tokens": 5, "output_tokens": 100})
    facts = RequestFacts(details={"images": 2})
    before, after, result = run(meter("/v1/images/generations", facts=facts), [one, one])
    assert (before, after) == (one, one)
    assert result.usage == {"input_tokens": 10, "output_tokens": 200}


IMAGE = event("image_generation.completed", b64_json="A", usage={"input_tokens": 5, "output_tokens": 100})
FAILED = event("error", error={"type": "image_generation_server_error", "message": "failed"})


@pytest.mark.parametrize(
    ("events", "complete", "images"),
    [
        ([IMAGE], False, 1),
        ([IMAGE, FAILED], True, 1),
        ([event("image_generation.completed", b64_json="A"), IMAGE], True, 1),
        ([IMAGE, event("image_generation.completed", b64_json="A", usage=None)], True, 1),
        ([IMAGE, IMAGE, event("image_generation.partial_image", b64_json="A")], False, 2),
    ],
)
def test_the_usage_of_some_of_several_images_is_only_a_bound(events, complete, images):
    facts = RequestFacts(details={"images": 3})
    result = run(meter("/v1/images/generations", facts=facts), events, complete=complete)[2]
    assert result.usage == {"input_tokens": 5 * images, "output_tokens": 100 * images, "at_least": True}


def test_images_that_openai_left_out_of_a_stream_that_it_ended_properly_are_not_waited_for():
    result = run(meter("/v1/images/generations", facts=RequestFacts(details={"images": 3})), [IMAGE, IMAGE])[2]
    assert (result.usage, result.complete) == ({"input_tokens": 10, "output_tokens": 200}, True)


# --- JSON and everything else


@given(splits(CHAT_JSON))
def test_a_json_answer_passes_whole_with_its_last_chunk_after_the_commit(chunks):
    before, after, facts = run(meter(content_type=JSON), chunks)
    assert before + after == CHAT_JSON and after == [c for c in chunks if c][-1]
    assert facts == AnswerFacts(
        "gpt-4o-mini-2024-07-18", "default", CHAT_USAGE, None, "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", False, True
    )


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
@given(data=st.data())
def test_compressed_answers_are_metered_and_untouched(encoding, pack, data):
    for plain, kind in ((CHAT_JSON, JSON), (CHAT_SSE, SSE)):
        packed = pack(plain)
        before, after, facts = run(meter(content_type=kind, encoding=encoding), data.draw(splits(packed)))
        assert before + after == packed and after
        assert facts.usage == CHAT_USAGE and facts.complete


def test_a_chunk_that_inflates_to_much_is_read_to_its_end():
    body = json.dumps({"padding": "x" * 1_000_000, **json.loads(CHAT_JSON)}).encode()
    assert run(meter(content_type=JSON, encoding="gzip"), [gzip.compress(body)])[2].usage == CHAT_USAGE


def test_a_compression_bomb_costs_little_memory():
    bomb = zlib.compressobj(wbits=31)
    packed = bomb.compress(b"[" + b" " * 1024) + b"".join(bomb.compress(b" " * 1_000_000) for _ in range(200))
    tracemalloc.start()
    try:
        _before, after, facts = run(meter(content_type=JSON, encoding="gzip"), [packed])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert after == packed and facts.usage is None
    assert peak < 100_000_000


def test_an_unknown_encoding_passes_unmetered():
    before, after, facts = run(meter(encoding="br"), [b"abc", b"def"])
    assert (before, after, facts.usage) == (b"abc", b"def", None)


def test_usage_is_found_at_the_end_of_an_answer_too_large_to_keep():
    big = json.loads(CHAT_JSON) | {"padding": "x" * 17_000_000}
    big["usage"] = big.pop("usage")
    body = json.dumps(big).encode()
    facts = run(meter(content_type=JSON), cut(body, range(0, len(body), 65_536)))[2]
    assert (facts.usage, facts.model) == (CHAT_USAGE, "gpt-4o-mini-2024-07-18")


def test_a_long_list_of_vectors_is_not_parsed_for_its_usage():
    vectors = [{"object": "embedding", "index": i, "embedding": [0.1] * 1536} for i in range(20)]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    body = json.dumps({"object": "list", "data": vectors, "model": "text-embedding-3-small", "usage": usage}).encode()
    facts = run(meter("/v1/embeddings", JSON), [body])[2]
    assert (facts.usage, facts.model) == (usage, "text-embedding-3-small")


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_an_error_answer_passes_and_has_no_usage(status):
    body = b'{"error":{"message":"m","type":"t","param":null,"code":null},"usage":{"prompt_tokens":5}}'
    before, after, facts = run(meter(content_type=JSON, status=status), [body])
    assert (before + after, facts) == (body, AnswerFacts())


def test_a_get_repeats_usage_and_is_not_metered_except_for_what_outlives_its_call():
    assert run(meter(content_type=JSON, method="GET"), [CHAT_JSON])[2].usage is None
    body = json.dumps(RESPONSE).encode()
    assert run(meter("/v1/responses/resp_1", JSON, method="GET"), [body])[2].usage == RESPONSE_USAGE


@pytest.mark.parametrize("what", ["head", "event"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_stream_whose_reading_fails_passes_to_its_end_and_is_not_read_further(monkeypatch, what, packed):
    def broken(self, part):
        raise KeyError(part)

    monkeypatch.setattr(StreamReader, what, broken)
    stream = gzip.compress(CHAT_SSE) if packed else CHAT_SSE
    m = meter(encoding="gzip" if packed else "")
    before, after, facts = run(m, cut(stream, range(7, len(stream), 7)))
    assert before + after == stream
    assert isinstance(m.failure, KeyError)
    assert (facts.usage, facts.complete) == (None, False)


def test_a_json_answer_whose_reading_fails_passes(monkeypatch):
    def broken(self, piece):
        raise KeyError

    monkeypatch.setattr(JsonCopy, "add", broken)
    before, after, facts = run(m := meter(content_type=JSON), cut(CHAT_JSON, [9, 99]))
    assert before + after == CHAT_JSON
    assert isinstance(m.failure, KeyError) and (facts.usage, facts.complete) == (None, False)
