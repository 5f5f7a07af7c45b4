"""A valid PNG of one pixel and a valid WAV of a tenth of a second, for the answers of the sandbox."""

from __future__ import annotations

import base64
import struct
import zlib


def _png() -> str:
    """One teal pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\x0f\x76\x6e")
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()


def _wav() -> bytes:
    """A tenth of a second of silence: mono, 16 bit, 8 kHz."""
    samples = bytes(1600)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(samples), b"WAVE") + form + struct.pack("<4sI", b"data", 1600) + samples
    )


PNG, WAV = _png(), _wav()
