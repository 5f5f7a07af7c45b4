"""Costs that OpenAI's answer does not tell: what is free, what the request decides, and what has a bound only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fake_upstream import FakeUpstream, reply, reply_json
from recordings import flac, wav
from stack import Stack
from test_tenancy import call

UPLOADS = {
    "/files": ({"files": {"file": b"x"}}, {"id": "file-u1", "object": "file"}),
    "/uploads": ({"json": {"bytes": 9}}, {"id": "upload_u1", "object": "upload", "status": "pending"}),
    "/uploads/upload_u1/parts": ({"files": {"data": b"x"}}, {"id": "part_u1", "object": "upload.part"}),
    "/uploads/upload_u1/complete": ({"json": {}}, {"id": "upload_u1", "object": "upload", "file": {"id": "file-u2"}}),
    "/uploads/upload_u2/cancel": ({"json": {}}, {"id": "upload_u2", "object": "upload", "status": "cancelled"}),
    "/containers/cntr_u1/files": ({"files": {"file": b"x"}}, {"id": "cfile_u1", "object": "container.file"}),
}


@pytest.mark.parametrize("path", UPLOADS)
def test_an_upload_is_free_and_no_unknown_cost(stack: Stack, fake: FakeUpstream, path: str) -> None:
    sent, answer = UPLOADS[path]
    options: dict[str, Any] = sent
    fake.queue(f"/v1{path}", reply_json(answer))
    row = stack.row(call(stack, "olga", "POST", path, **options))
    assert (row["status_code"], row["cost"], row["cost_status"]) == (200, 0, "free")


SECOND = Decimal("0.0001")  # of Whisper: $0.36 an hour
SRT = b"1\n00:00:00,000 --> 00:00:03,320\nOne.\n\n2\n00:00:03,320 --> 00:00:08,000\nTwo.\n"
VTT = b"WEBVTT\n\n00:00.000 --> 00:03.320\nOne.\n\n00:03.320 --> 00:08.000\nTwo.\n"


def hear(stack: Stack, fake: FakeUpstream, kind: str, file: bytes, path: str = "/audio/transcriptions") -> dict:
    """The row of a call that Whisper answered in one of its formats, none of which has usage."""
    said = {"text": b"hi", "srt": SRT, "vtt": VTT}.get(kind)
    answer = reply_json({"text": "hi"}) if said is None else reply(200, [("content-type", "text/plain")], said)
    fake.queue(f"/v1{path}", answer)
    form = {"data": {"model": "whisper-1", "response_format": kind}, "files": {"file": ("a", file)}}
    made = call(stack, "olga", "POST", path, **form)
    assert made.ok and (said is None or made.content == said)
    return stack.row(made)


@pytest.mark.parametrize("kind", ["json", "text", "srt", "vtt"])
@pytest.mark.parametrize("file", [wav(67_760), flac(67_760)], ids=["wav", "flac"])
def test_a_recording_whose_header_tells_its_length_is_billed_by_it(stack, fake, kind, file):
    for path in ("/audio/transcriptions", "/audio/translations"):
        row = hear(stack, fake, kind, file, path)
        assert (row["cost"], row["cost_status"]) == (9 * SECOND, "priced")
        assert row["usage"] == {"type": "duration", "seconds": 9, "source": "upload"}


@pytest.mark.parametrize(("kind", "bound"), [("srt", 4 * SECOND), ("vtt", 4 * SECOND), ("text", None), ("json", None)])
def test_what_subtitles_tell_is_a_bound_and_in_no_sum(stack: Stack, fake: FakeUpstream, kind: str, bound: object):
    sums = "select sum(cost) as cost, sum(no_usage_calls) as unknown from public.spend_daily"
    with stack.people.as_("olga"):
        before = stack.people.one(sums)
    row = hear(stack, fake, kind, b"ID3")
    assert (row["cost"], row["cost_status"]) == (None, "no_usage")
    with stack.people.as_("olga"):
        assert stack.people.one("select cost_at_least as c from public.calls where id = %s", row["id"])["c"] == bound
        after = stack.people.one(sums)
    assert (after["cost"], after["unknown"]) == (before["cost"], before["unknown"] + 1)


def test_speech_by_tokens_keeps_the_characters_that_were_asked_for(stack: Stack, fake: FakeUpstream):
    fake.queue("/v1/audio/speech", reply(200, [("content-type", "audio/mpeg")], b"\xff\xfb\x90\x00" * 100))
    asked = {"model": "gpt-4o-mini-tts", "input": "Good morning", "voice": "alloy"}
    row = stack.row(call(stack, "olga", "POST", "/audio/speech", json=asked))
    assert (row["cost"], row["cost_status"]) == (None, "no_usage")
    assert [(line["dimension"], line["quantity"], line["cost"]) for line in row["cost_lines"]] == [
        ("input_characters", 12, None)
    ]
