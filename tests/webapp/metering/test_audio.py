"""The length of a recording: exact from the headers of WAV and FLAC files, else not known."""

from __future__ import annotations

import struct

import pytest
from recordings import flac, wav

from webapp.metering.audio import HEAD_BYTES, Recording


def seconds(file: bytes, step: int = 7, *, ended: bool = True) -> int | None:
    recording = Recording()
    for at in range(0, len(file), step):
        recording.add(file[at : at + step])
    recording.ended = ended
    return recording.seconds()


@pytest.mark.parametrize(
    ("frames", "length"), [(8000, 1), (8001, 2), (1, 1), (67_760, 9), (72_000, 9), (72_001, 10), (0, None)]
)
def test_the_seconds_of_a_file_are_rounded_up(frames, length):
    for step in (1, 7, 65_536):
        assert seconds(wav(frames), step) == seconds(flac(frames), step) == length


def test_other_chunks_and_codings_of_fixed_rate_make_no_difference():
    odd = struct.pack("<4sI", b"LIST", 5) + b"INFOx" + b"\0"
    assert seconds(wav(8001, before=odd)) == seconds(wav(8001, after=odd)) == 2
    assert seconds(wav(8001, kind=3, width=8)) == seconds(wav(8001, kind=7, width=1)) == 2
    assert seconds(wav(8001, kind=0xFFFE)) == 2


@pytest.mark.parametrize(
    "file",
    [
        wav(8000)[:-1],  # cut off
        wav(8000, said=0xFFFFFFFF),  # written to a pipe
        wav(8000, said=0),
        wav(8000, kind=2),  # ADPCM: the bytes per second are an average
        wav(8000, kind=0x55),  # MP3 in a WAV file
        wav(8000, rate=0),
        wav(8000, before=struct.pack("<4sI", b"JUNK", HEAD_BYTES) + bytes(HEAD_BYTES)),
        wav(8000)[:30],
        flac(8000)[:20],
        flac(8000, rate=0),
        b"RIFF\0\0\0\0AVI " + wav(8000)[12:],
        b"OggS" + bytes(100),
        b"\xff\xfb\x90\x00" * 400,
        b"ID3",
        b"",
    ],
)
def test_what_is_not_exact_is_not_known(file):
    assert seconds(file) is None


def test_a_file_of_which_only_a_part_was_sent_is_not_known():
    assert seconds(wav(8000), ended=False) is None
    assert seconds(flac(8000), ended=False) is None


def test_of_a_large_file_only_the_header_is_kept():
    recording = Recording()
    for at in range(0, len(file := wav(1_000_000)), 65_536):
        recording.add(file[at : at + 65_536])
    assert len(recording._head) == HEAD_BYTES
    other = Recording()
    for _ in range(10):
        other.add(bytes(1000))
    assert len(other._head) <= 1000
