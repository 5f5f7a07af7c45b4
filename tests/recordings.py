"""Files of recordings, silent, with headers as programs write them."""

from __future__ import annotations

import struct


def wav(
    frames: int,
    *,
    rate: int = 8000,
    width: int = 2,
    kind: int = 1,
    said: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A WAV file of one channel. `said`: bytes of samples that its header states; `before`, `after`: other chunks."""
    form = struct.pack("<HHIIHH", kind, 1, rate, rate * width, width, 8 * width)
    if kind == 0xFFFE:
        form += struct.pack("<HHIH", 22, 8 * width, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")
    samples = bytes(frames * width)
    chunks = struct.pack("<4sI", b"fmt ", len(form)) + form + before
    chunks += struct.pack("<4sI", b"data", len(samples) if said is None else said) + samples + after
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def flac(samples: int, *, rate: int = 8000) -> bytes:
    """A FLAC file of one channel and 16 bits."""
    numbers = rate << 44 | 0 << 41 | 15 << 36 | samples
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + numbers.to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80\x00\x00\x22" + info + b"\xff\xf8" + bytes(100)
