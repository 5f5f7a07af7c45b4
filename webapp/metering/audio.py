"""How long an uploaded recording is: its file's header says it exactly in WAV and FLAC, and in no other format here."""

from __future__ import annotations

import struct

HEAD_BYTES = 16_384  # kept of a file of these formats: more than stands before the samples
_MAGIC_BYTES = 12
_EXTENSIBLE = 0xFFFE
_FIXED_RATE = (1, 3, 6, 7)  # PCM, float, A-law and µ-law: every frame has the same number of bytes
_FORMAT = struct.Struct("<HHIIHH")  # kind, channels, frames per second, bytes per second, bytes per frame, bits
_SAMPLES = (1 << 36) - 1


class Recording:
    """Feed it the bytes of a file. `ended`: all of them were fed."""

    def __init__(self) -> None:
        self.ended = False
        self._head, self._size = bytearray(), 0

    def add(self, data: bytes) -> None:
        """Take the next bytes of the file; only those of a header are kept."""
        self._size += len(data)
        if len(self._head) < _MAGIC_BYTES or _is_wav(self._head) or _is_flac(self._head):
            self._head += data[: HEAD_BYTES - len(self._head)]

    def seconds(self) -> int | None:
        """Its length in seconds, rounded up; None where the header does not say it, or not all of the file is there."""
        head = bytes(self._head)
        frames, rate = (_wav(head, self._size) if _is_wav(head) else _flac(head)) if self.ended else (0, 0)
        return -(-frames // rate) if frames and rate else None


def _is_wav(head: bytes | bytearray) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def _is_flac(head: bytes | bytearray) -> bool:
    return head[:5] == b"fLaC\0" or head[:5] == b"fLaC\x80"  # STREAMINFO comes first, perhaps as the last header


def _wav(head: bytes, size: int) -> tuple[int, int]:
    """Frames, and frames per second; (0, 0) where they are not known: another coding, or a file that is cut off.

    A file that was written to a pipe states a length of 0 or one beyond its end.
    """
    at, rate, width = 12, 0, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt ":
            rate, width = _frame(head[at + 8 : at + 8 + length])
        elif name == b"data":
            return (length // width, rate) if width and at + 8 + length <= size else (0, 0)
        at += 8 + length + length % 2
    return 0, 0


def _frame(chunk: bytes) -> tuple[int, int]:
    """Frames per second and bytes per frame of a WAV file; (0, 0) for a coding whose frames vary in length."""
    if len(chunk) < _FORMAT.size:
        return 0, 0
    kind, _, rate, bytes_per_second, width, _ = _FORMAT.unpack_from(chunk)
    if kind == _EXTENSIBLE:
        kind = int.from_bytes(chunk[24:26], "little")
    return (rate, width) if kind in _FIXED_RATE and bytes_per_second == rate * width else (0, 0)


def _flac(head: bytes) -> tuple[int, int]:
    """Samples of each channel, and samples per second; (0, 0) where they are not known, or it is no FLAC file."""
    if not _is_flac(head) or len(head) < 26:
        return 0, 0
    numbers = int.from_bytes(head[18:26], "big")  # 20 bits rate, 3 channels, 5 sample size, 36 samples
    return numbers & _SAMPLES, numbers >> 44
