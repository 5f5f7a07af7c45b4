"""Images, sounds, transcripts, embeddings and moderations of the sandbox, as the request asks for them."""

from __future__ import annotations

import base64
import struct
import zlib

import openai
import pytest

from webapp.sandbox.asked import fields_of
from webapp.sandbox.media import SOUNDS, flac, opus


def side_lengths(picture: bytes) -> tuple[int, int]:
    """The size of a PNG of which every row is there."""
    width, height = struct.unpack(">II", picture[16:24])
    start = picture.index(b"IDAT")
    length = struct.unpack(">I", picture[start - 4 : start])[0]
    assert len(zlib.decompress(picture[start + 4 : start + 4 + length])) == (1 + (width + 7) // 8) * height
    return width, height


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [("gpt-image-1", "1024x1536", 1584), ("gpt-image-1-mini", "auto", 1056), ("gpt-image-2", "640x480", 309)],
)
def test_an_image_has_the_size_asked_for_and_tokens_by_its_area(sdk, model, size, tokens):
    answer = sdk.images.generate(model=model, prompt="a cat", size=size, quality="medium")
    width, height = side_lengths(base64.b64decode(answer.data[0].b64_json))
    assert answer.size == f"{width}x{height}" == size.replace("auto", "1024x1024")
    assert (answer.quality, answer.usage.output_tokens) == ("medium", tokens)


def test_dall_e_answers_with_urls_unless_base64_is_asked(sdk):
    url = sdk.images.generate(model="dall-e-3", prompt="a cat", size="1792x1024").data[0].url
    assert side_lengths(base64.b64decode(url.removeprefix("data:image/png;base64,"))) == (1792, 1024)
    assert sdk.images.generate(prompt="x", model="dall-e-2", response_format="b64_json", n=3).data[2].b64_json


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "dall-e-3", "n": 2},
        {"model": "dall-e-2", "size": "1792x1024"},
        {"model": "gpt-image-1", "size": "256x256"},
        {"model": "gpt-image-9", "size": "99999x1"},
        {"model": "gpt-image-1", "quality": "superb"},
        {"model": "gpt-image-1", "n": 11},
    ],
)
def test_images_that_openai_does_not_make_are_refused(sdk, fields):
    with pytest.raises(openai.BadRequestError):
        sdk.images.generate(prompt="a cat", **fields)


def test_previews_of_an_image_come_first(sdk):
    events = list(sdk.images.generate(model="gpt-image-1", prompt="a cat", stream=True, partial_images=2))
    assert [event.type.rpartition(".")[2] for event in events] == ["partial_image", "partial_image", "completed"]
    assert events[-1].usage.output_tokens == 272 + 200


@pytest.mark.parametrize(
    ("form", "begins", "size"),
    [
        ("mp3", b"\xff\xf3\x44\xc4", 83 * 96),
        ("wav", b"RIFF", 44 + 96_000),
        ("pcm", bytes(4), 96_000),
        ("aac", b"\xff\xf1\x58\x40", 47 * 13),
        ("flac", b"fLaC\x80\x00\x00\x22", None),
        ("opus", b"OggS\x00\x02", None),
    ],
)
def test_speech_has_the_format_asked_for_and_lasts_as_long_as_its_text(sdk, form, begins, size):
    ask = {"model": "tts-1", "voice": "alloy", "input": "x" * 30}
    sound = sdk.audio.speech.create(**ask, response_format=form)
    assert sound.read().startswith(begins) and size in (None, len(sound.read()))
    assert sound.response.headers["content-type"] == SOUNDS[form][0]


def test_flac_and_opus_have_right_check_sums():
    *_, block = flac(0.2)
    assert block == b"\xff\xf8\xc7\x08\x00" + block[5:6] + b"\x00\x00\x00" + block[9:]
    assert remainder(block[:6], 8, 0x07) == remainder(block, 16, 0x8005) == 0
    for page in opus(0.1):
        blank = page[:22] + bytes(4) + page[26:]
        assert remainder(blank + page[22:26][::-1], 32, 0x04C11DB7) == 0
    assert page[5] == 4 and struct.unpack("<q", page[6:14])[0] == 4800


def remainder(data: bytes, bits: int, polynomial: int) -> int:
    """What is left when the bits of data are divided by a polynomial; 0 for data with its check sum behind it."""
    value = int.from_bytes(data, "big")
    divisor = 1 << bits | polynomial
    while (over := value.bit_length() - bits - 1) >= 0:
        value ^= divisor << over
    return value


def test_speech_is_refused_for_unknown_formats_and_long_texts(sdk):
    for wrong in ({"response_format": "ogg"}, {"input": "x" * 4097}):
        with pytest.raises(openai.BadRequestError):
            sdk.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "x", **wrong})


def test_a_transcript_is_as_long_as_its_sound(sdk):
    ask = {"model": "tts-1", "voice": "alloy", "input": "x" * 150}
    sound = sdk.audio.speech.create(**ask, response_format="wav").read()  # ten seconds
    whisper = {"model": "whisper-1", "file": ("a.wav", sound)}
    assert sdk.audio.transcriptions.create(**whisper).usage.seconds == 10
    assert "00:00:10,000" in sdk.audio.transcriptions.create(**whisper, response_format="srt")
    tokens = sdk.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", sound)).usage
    assert tokens.input_token_details.audio_tokens == 100
    detailed = sdk.audio.transcriptions.create(
        **whisper, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert (detailed.segments[0].end, detailed.words[-1].end, detailed.words[0].word) == (10, 10, "This")
    who = {"model": "gpt-4o-transcribe-diarize", "file": ("a.wav", sound), "response_format": "diarized_json"}
    assert sdk.audio.transcriptions.create(**who).segments[0].speaker == "A"
    with pytest.raises(openai.BadRequestError):
        sdk.audio.transcriptions.create(**whisper, response_format="lrc")


def test_malformed_forms_are_read_to_their_end():
    pieces = iter([b"--b\r\nContent-Disp", b"\xff" * 300_000, b"--b--"])
    with pytest.raises(Exception, match="model parameter"):
        fields_of("/v1/audio/transcriptions", "multipart/form-data; boundary=b", pieces)
    assert list(pieces) == []


def test_embeddings_are_refused_beyond_their_dimensions_and_numbers_are_tokens(sdk):
    with pytest.raises(openai.BadRequestError, match="1536"):
        sdk.embeddings.create(model="text-embedding-3-small", input="a", dimensions=2000)
    with pytest.raises(openai.BadRequestError):
        sdk.embeddings.create(model="text-embedding-3-small", input="a", encoding_format="hex")
    tokens = sdk.embeddings.create(model="text-embedding-3-small", input=[[1, 2, 3], [4]])
    assert (len(tokens.data), tokens.usage.prompt_tokens) == (2, 4)


def test_a_list_of_parts_is_one_moderation_and_a_list_of_texts_many(sdk):
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    assert len(sdk.moderations.create(input=parts).results) == 1
    assert len(sdk.moderations.create(input=["a", "b"]).results) == 2
