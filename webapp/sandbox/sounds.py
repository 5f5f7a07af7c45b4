"""Answers of /audio/*: speech as long as its text, and transcripts in all of OpenAI's formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webapp.sandbox.asked import Upload
from webapp.sandbox.media import SOUNDS
from webapp.sandbox.refused import SandboxError, one_of
from webapp.sandbox.wording import TEXT, tokens

CHARACTERS_PER_SECOND = 15
MAX_CHARACTERS = 4096  # OpenAI's limit
TOKENS_PER_SECOND = 20  # of spoken sound; of sound that is transcribed it is 10
FORMATS = ("json", "text", "srt", "vtt", "verbose_json", "diarized_json")
PLAIN = ("text", "srt", "vtt")


def speech(fields: dict[str, Any]) -> tuple[str, Iterator[bytes]]:
    """Content type and sound of /audio/speech."""
    form = one_of(fields.get("response_format") or "mp3", tuple(SOUNDS), "response_format")
    kind, make = SOUNDS[form]
    return kind, make(_spoken_seconds(fields))


def speech_usage(fields: dict[str, Any]) -> dict[str, int]:
    """Tokens of speech, which an answer has only when it is streamed as events."""
    sent, said = tokens(fields["input"]), max(1, round(TOKENS_PER_SECOND * _spoken_seconds(fields)))
    return {"input_tokens": sent, "output_tokens": said, "total_tokens": sent + said}


def transcript_format(fields: dict[str, Any]) -> str:
    """The `response_format` of a transcript or translation."""
    return one_of(fields.get("response_format") or "json", FORMATS, "response_format")


def transcript(fields: dict[str, Any], form: str) -> dict[str, Any]:
    """The answer of /audio/transcriptions as JSON: tokens for gpt-4o models, seconds for all others."""
    seconds = _seconds(fields)
    whole = {"text": TEXT} | _timed(fields, form, "transcribe")
    if not (fields.get("model") or "").startswith("gpt-4o"):
        return whole | {"usage": {"type": "duration", "seconds": seconds}}
    details = {"text_tokens": 0, "audio_tokens": 10 * seconds}
    counts = {"input_tokens": 10 * seconds, "input_token_details": details, "output_tokens": tokens(TEXT)}
    return whole | {"usage": {"type": "tokens", **counts, "total_tokens": 10 * seconds + tokens(TEXT)}}


def translation(fields: dict[str, Any], form: str) -> dict[str, Any]:
    """The answer of /audio/translations as JSON, which has no usage."""
    return {"text": TEXT} | _timed(fields, form, "translate")


def transcript_text(fields: dict[str, Any], form: str) -> str:
    """A transcript as text, srt or vtt."""
    end = _seconds(fields)
    clock = f"{end // 3600:02}:{end // 60 % 60:02}:{end % 60:02}"
    if form == "srt":
        return f"1\n00:00:00,000 --> {clock},000\n{TEXT}\n\n"
    return f"WEBVTT\n\n00:00:00.000 --> {clock}.000\n{TEXT}\n\n" if form == "vtt" else TEXT + "\n"


def _spoken_seconds(fields: dict[str, Any]) -> float:
    text = fields["input"]
    if not isinstance(text, str):
        raise SandboxError(400, "Invalid type for 'input': expected a string.", param="input", code="invalid_type")
    if len(text) > MAX_CHARACTERS:
        message = f"Invalid 'input': string too long. Expected a string with maximum length {MAX_CHARACTERS}."
        raise SandboxError(400, message, param="input", code="string_above_max_length")
    return max(len(text), 1) / CHARACTERS_PER_SECOND


def _seconds(fields: dict[str, Any]) -> int:
    """Length of the uploaded sound; 1 where there is none."""
    file = fields.get("file")
    return file.seconds() if isinstance(file, Upload) else 1


def _timed(fields: dict[str, Any], form: str, task: str) -> dict[str, Any]:
    """What the formats with times have beside the text."""
    end = float(_seconds(fields))
    if form == "diarized_json":
        segment = {"id": "seg_0", "type": "transcript.text.segment", "start": 0.0, "end": end, "text": TEXT}
        return {"task": task, "duration": end, "segments": [{**segment, "speaker": "A"}]}
    if form != "verbose_json":
        return {}
    segment = {"id": 0, "seek": 0, "start": 0.0, "end": end, "text": TEXT, "tokens": [], "temperature": 0.0}
    segment |= {"avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0}
    told = {"task": task, "language": "english", "duration": end, "segments": [segment]}
    asked = fields.get("timestamp_granularities")
    return told | ({"words": _words(end)} if isinstance(asked, list) and "word" in asked else {})


def _words(end: float) -> list[dict[str, Any]]:
    words = TEXT.split()
    times = [round(end * at / len(words), 3) for at in range(len(words) + 1)]
    return [{"word": word, "start": times[at], "end": times[at + 1]} for at, word in enumerate(words)]
