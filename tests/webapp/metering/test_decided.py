"""Usage of answers that report none: what the request, its file or the rest of the answer decide."""

from __future__ import annotations

import json

import httpx
import pytest
from recordings import flac, wav

from webapp.metering import AnswerFacts, FormReader, Meter, RequestFacts, read_json_request

HEAR, TRANSLATE, SAY = "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/audio/speech"
SUBTITLES = b"1\n00:00:00,000 --> 00:00:03,320\nOne.\n\n2\n00:00:03,320 --> 00:00:08,000\nTwo.\n"
NINE = {"type": "duration", "seconds": 9}


def form(endpoint=HEAR, file: bytes = b"ID3", files: int = 1, **fields: str) -> RequestFacts:
    sent = [("file", ("a", file))] * files
    request = httpx.Request("POST", "http://x", data={"model": "whisper-1"} | fields, files=sent)
    reader = FormReader(request.headers["content-type"])
    reader.feed(request.read())
    return reader.facts(endpoint)


def heard(
    answer: bytes | dict, facts: RequestFacts, endpoint=HEAR, *, encoding="", complete=True, kind=""
) -> AnswerFacts:
    kind = kind or ("application/json" if isinstance(answer, dict) else "text/plain; charset=utf-8")
    meter = Meter(endpoint, "POST", facts, 200, kind, encoding)
    meter.feed(json.dumps(answer).encode() if isinstance(answer, dict) else answer)
    meter.finish()
    return meter.result(complete)


@pytest.mark.parametrize("kind", ["json", "text", "srt", "vtt", "verbose_json"])
@pytest.mark.parametrize("endpoint", [HEAR, TRANSLATE])
@pytest.mark.parametrize("file", [wav(67_760), flac(67_760)])
def test_the_header_of_the_file_tells_the_seconds_that_whisper_bills(kind, endpoint, file):
    answer = {"text": "hi"} if "json" in kind else SUBTITLES
    usage = heard(answer, form(endpoint, file, response_format=kind), endpoint).usage
    assert usage == NINE | {"source": "upload"}


def test_what_the_answer_says_comes_first():
    facts = form(file=wav(8000))
    assert heard({"text": "hi", "usage": {"type": "duration", "seconds": 7}}, facts).usage["seconds"] == 7
    assert heard({"text": "hi", "duration": 8.47}, facts).usage == NINE


def test_a_verbose_answer_tells_the_seconds():
    for endpoint in (HEAR, TRANSLATE):
        assert heard({"text": "hi", "duration": 8.47}, form(endpoint), endpoint).usage == NINE


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("8.47", 9), ('"8.47"', 9), ("9", 9), ("8.00000000000000000001", 9), ("9007199254740993", 9007199254740993)],
)
def test_the_seconds_are_rounded_up_from_what_is_written_and_from_no_float(written, seconds):
    answer = f'{{"text": "hi", "duration": {written}}}'.encode()
    assert heard(answer, form(response_format="json"), kind="application/json").usage["seconds"] == seconds


@pytest.mark.parametrize("written", ["true", "false", '"1_0"', '" 9"', '"٩"', "-1", "NaN", "1e999", "null", "[9]"])
def test_a_duration_that_is_no_number_of_seconds_tells_nothing(written):
    answer = f'{{"text": "hi", "duration": {written}}}'.encode()
    assert heard(answer, form(response_format="json"), kind="application/json").usage is None


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_tell_at_least_how_long_it_was(kind):
    text = SUBTITLES if kind == "srt" else SUBTITLES.replace(b",", b".")
    usage = heard(text, form(response_format=kind)).usage
    assert usage == {"type": "duration", "seconds": 4, "at_least": True}
    assert heard(text[:40], form(response_format=kind)).usage is None, "a cue that begins at 0 tells nothing"
    assert heard(text, form(response_format="text")).usage is None
    assert heard(text, form(response_format=kind), complete=False).usage is None


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe", ""])
def test_models_that_are_not_billed_by_the_second_are_not_priced_by_it(model):
    facts = form(file=wav(8000), model=model, response_format="srt")
    assert heard(SUBTITLES, facts).usage is None
    assert heard({"text": "hi", "duration": 8.47}, facts).usage is None


def test_of_two_files_nobody_knows_which_one_was_heard():
    assert "seconds" not in form(file=wav(8000), files=2).details
    assert "seconds" not in form("/v1/images/edits", wav(8000)).details


def test_the_characters_of_speech_are_a_part_of_what_other_models_bill():
    for model, more in (("tts-1-hd", {}), ("gpt-4o-mini-tts", {"at_least": True})):
        facts = read_json_request(SAY, json.dumps({"model": model, "input": "Grüße 👋"}).encode())
        meter = Meter(SAY, "POST", facts, 200, "audio/mpeg", "")
        meter.feed(b"\xff\xfb\x90\x00")
        meter.finish()
        assert meter.result(True).usage == {"characters": 7} | more
        assert meter.result(False).usage is None
