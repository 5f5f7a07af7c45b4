"""Pictures and sounds that open in every program: of one colour, and silent."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import repeat

RATE = 24_000  # samples a second, one channel of 16 bits, as OpenAI's speech
CHUNK = 65_536
# A silent frame each, and the seconds it lasts: MPEG-2 layer III at 32 kbit/s, and AAC in ADTS.
_MP3 = (b"\xff\xf3\x44\xc4" + bytes(92), 576 / RATE)
_AAC = (b"\xff\xf1\x58\x40\x01\xbf\xfc\x00\xc8\x00\x80\x23\x80", 1024 / RATE)
_FLAC_BLOCK = 4096


@lru_cache(maxsize=32)
def png(width: int, height: int) -> str:
    """A teal picture as base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(
        ">IIBBBBB", width, height, 1, 3, 0, 0, 0
    )  # one bit a pixel, which names a colour of the palette
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", b"\x0f\x76\x6e\x0f\x76\x6e")
    return base64.b64encode(whole + chunk(b"IDAT", rows) + chunk(b"IEND", b"")).decode()


def wav(seconds: float) -> Iterator[bytes]:
    """A WAV file."""
    size = 2 * round(RATE * seconds)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    yield struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    yield from pcm(seconds)


def pcm(seconds: float) -> Iterator[bytes]:
    """Samples without a header."""
    left = 2 * round(RATE * seconds)
    while left > 0:
        yield bytes(min(left, CHUNK))
        left -= CHUNK


def _frames(frame: bytes, lasts: float) -> Callable[[float], Iterator[bytes]]:
    return lambda seconds: repeat(frame, max(1, round(seconds / lasts)))


def flac(seconds: float) -> Iterator[bytes]:
    """A FLAC file whose blocks hold one value each."""
    blocks = max(1, round(seconds * RATE / _FLAC_BLOCK))
    sizes = struct.pack(">HH", _FLAC_BLOCK, _FLAC_BLOCK) + bytes(6)
    about = RATE << 44 | 15 << 36 | blocks * _FLAC_BLOCK  # one channel, 16 bits
    yield b"fLaC\x80\x00\x00\x22" + sizes + struct.pack(">Q", about) + bytes(16)
    for number in range(blocks):
        head = b"\xff\xf8\xc7\x08" + chr(number).encode()
        body = head + _crc(head, 8, 0x07) + b"\x00\x00\x00"
        yield body + _crc(body, 16, 0x8005)


def opus(seconds: float) -> Iterator[bytes]:
    """An Opus stream in Ogg, one packet of 20 ms on each page."""
    yield _page(0, 2, 0, b"OpusHead\x01\x01" + struct.pack("<HIhB", 0, RATE, 0, 0))
    yield _page(1, 0, 0, b"OpusTags" + struct.pack("<I", 7) + b"sandbox" + bytes(4))
    packets = max(1, round(seconds / 0.02))
    for number in range(1, packets + 1):
        yield _page(number + 1, 4 if number == packets else 0, 960 * number, b"\xf8\xff\xfe")


def _page(number: int, flags: int, position: int, packet: bytes) -> bytes:
    head = struct.pack("<4sBBqII", b"OggS", 0, flags, position, 1, number)
    tail = bytes((1, len(packet))) + packet
    return head + _crc(head + bytes(4) + tail, 32, 0x04C11DB7)[::-1] + tail


def _crc(data: bytes, bits: int, polynomial: int) -> bytes:
    """A check sum without reflection, as FLAC and Ogg have it."""
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
    return value.to_bytes(bits // 8, "big")


# Format of speech → content type, and the sound of so many seconds.
SOUNDS: dict[str, tuple[str, Callable[[float], Iterator[bytes]]]] = {
    "mp3": ("audio/mpeg", _frames(*_MP3)),
    "opus": ("audio/opus", opus),
    "aac": ("audio/aac", _frames(*_AAC)),
    "flac": ("audio/flac", flac),
    "wav": ("audio/wav", wav),
    "pcm": ("audio/pcm", pcm),
}
