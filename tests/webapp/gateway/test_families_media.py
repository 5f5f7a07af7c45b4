"""Images, transcripts and speech through the running proxy: what OpenAI says → what the row costs, by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from fake_replies import reply_json
from fake_upstream import FakeUpstream
from families import Case, audio, event, fay, settled, sse
from pricing import add_price, usd
from stack import Stack

__all__ = ["fay"]
pytestmark = pytest.mark.usefixtures("fay")
IMAGES, EDITS = "/images/generations", "/images/edits"
TRANSCRIPTS, TRANSLATIONS, SPEECH = "/audio/transcriptions", "/audio/translations", "/audio/speech"
DRAW = {"model": "gpt-image-1", "prompt": "a cat"}
HEAR = {"model": "gpt-4o-transcribe"}
WHISPER = {"model": "whisper-1"}
SAY = {"model": "gpt-4o-mini-tts", "input": "Grüße 👋", "voice": "alloy"}
DRAWN = {"input_tokens": 50, "output_tokens": 4160, "total_tokens": 4210,
         "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}}  # fmt: skip
DRAWN_COST = usd((10, 5), (40, 10), (4160, 40))
HEARD = {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
         "output_tokens": 45, "total_tokens": 59}  # fmt: skip
HEARD_COST = usd((4, "2.5"), (10, "2.5"), (45, 10))
PICTURE = {"b64_json": "QUJD"}
MP3 = b"\xff\xfb\x90\x00" * 100

CASES = {
    "an image, its model known from the request only": Case(
        IMAGES, DRAW, reply_json({"created": 1713833628, "data": [PICTURE], "usage": DRAWN}), DRAWN_COST,
        row={"model": None, "model_requested": "gpt-image-1", "tokens_in": 50}),
    "an image with its output told apart": Case(
        IMAGES, DRAW, reply_json({"data": [PICTURE], "usage": DRAWN | {
            "output_tokens_details": {"image_tokens": 4100, "text_tokens": 60}}}),
        usd((10, 5), (40, 10), (4100, 40), (60, 40))),
    "an edited image, sent as a form": Case(
        EDITS, DRAW, reply_json({"data": [PICTURE], "usage": DRAWN}), DRAWN_COST, form=True),
    "a streamed image: sketches on the way carry no usage": Case(
        IMAGES, DRAW | {"stream": True, "partial_images": 1}, sse(
            event("image_generation.partial_image", b64_json="QUJD", partial_image_index=0),
            event("image_generation.completed", b64_json="QUJD", usage=DRAWN)), DRAWN_COST),
    "a streamed edit": Case(
        EDITS, DRAW | {"stream": True}, sse(event("image_edit.completed", b64_json="QUJD", usage=DRAWN)), DRAWN_COST),
    "two streamed images": Case(
        IMAGES, DRAW | {"stream": True, "n": 2}, sse(
            event("image_generation.completed", b64_json="QUJD", usage=DRAWN),
            event("image_generation.completed", b64_json="QUJD", usage=DRAWN)), 2 * DRAWN_COST),
    "an image model without usage in its answer": Case(
        IMAGES, DRAW, reply_json({"data": [PICTURE]}), None, "no_usage"),
    "dall-e has no list price": Case(
        IMAGES, {"model": "dall-e-3", "prompt": "x"}, reply_json({"data": [PICTURE]}), None, "unpriced_model"),
    "a transcript by tokens": Case(
        TRANSCRIPTS, HEAR, reply_json({"text": "hi", "usage": HEARD}), HEARD_COST, form=True,
        row={"model_requested": "gpt-4o-transcribe", "tokens_audio_in": 10}),
    "a transcript by tokens, streamed": Case(
        TRANSCRIPTS, HEAR | {"stream": "true"}, sse(
            event("transcript.text.delta", delta="hi"), event("transcript.text.done", text="hi", usage=HEARD)),
        HEARD_COST, form=True),
    "a transcript by seconds, which OpenAI rounds up": Case(
        TRANSCRIPTS, WHISPER | {"response_format": "verbose_json"},
        reply_json({"task": "transcribe", "duration": 8.47, "text": "hi", "usage": {"type": "duration", "seconds": 9}}),
        usd((9, "0.36", 3600)), form=True),
    "a fraction of a second": Case(
        TRANSCRIPTS, WHISPER, reply_json({"text": "hi", "usage": {"type": "duration", "seconds": 8.47}}),
        usd(("8.47", "0.36", 3600)), form=True),
    "speakers told apart, by seconds": Case(
        TRANSCRIPTS, {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"},
        reply_json({"text": "hi", "usage": {"type": "duration", "seconds": 27}}), usd((27, "0.36", 3600)), form=True),
    **{f"a transcript as {kind}": Case(
        TRANSCRIPTS, WHISPER | {"response_format": kind}, audio(b"hi", "text/plain; charset=utf-8"),
        None, "no_usage", form=True) for kind in ("text", "srt", "vtt")},
    "a translation that tells its length": Case(
        TRANSLATIONS, WHISPER | {"response_format": "verbose_json"}, reply_json({"duration": 8.47, "text": "hi"}),
        usd((9, "0.36", 3600)), form=True),
    "a translation that does not": Case(TRANSLATIONS, WHISPER, reply_json({"text": "hi"}), None, "no_usage", form=True),
    "speech by characters of what was asked": Case(
        SPEECH, SAY | {"model": "tts-1"}, audio(MP3, "audio/mpeg"), usd((7, 15)), row={"model_requested": "tts-1"}),
    "as a bill had it: 4,095 characters": Case(
        SPEECH, SAY | {"model": "tts-1", "input": "a" * 4095}, audio(MP3, "audio/mpeg"), Decimal("0.061425")),
    "speech by tokens, streamed, as a bill had it": Case(
        SPEECH, SAY | {"stream_format": "sse"}, sse(
            event("speech.audio.delta", audio="QUJD"),
            event("speech.audio.done", usage={"input_tokens": 1754, "output_tokens": 10785, "total_tokens": 12539})),
        Decimal("0.0010524") + Decimal("0.12942")),
    "speech by tokens as plain audio tells no tokens": Case(SPEECH, SAY, audio(MP3, "audio/mpeg"), None, "no_usage"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_call_costs_what_it_costs_by_hand(stack: Stack, fake: FakeUpstream, case: Case) -> None:
    settled(stack, fake, case)


def test_pictures_cost_by_size_and_quality_once_an_organization_says_what_it_pays(
    stack: Stack, fake: FakeUpstream
) -> None:
    for kind, price in (("1024x1024+hd", "0.08"), ("1024x1024", "0.04")):
        row = {"qualifier": kind, "unit_qty": 1, "org_id": stack.people.orgs["eve"]}
        add_price(stack.conn, "dall-e-3", "images", price, **row)
    for asked, cost in (({"size": "1024x1024", "quality": "hd"}, "0.16"), ({}, "0.08"), ({"quality": "new"}, "0.08")):
        case = Case(IMAGES, {"model": "dall-e-3", "prompt": "x", "n": 2} | asked,
                    reply_json({"data": [PICTURE] * 2}), Decimal(cost), who="eve")  # fmt: skip
        settled(stack, fake, case)
