"""Inflates a copy of a compressed answer, up to a limit; the client gets the compressed bytes unchanged."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

MAX_INFLATED_BYTES = 256 * 1024 * 1024  # decompression bombs are read this far and no further
_PIECE = 65_536
_ZLIB, _RAW, _GZIP = 15, -15, 31  # zlib's names for the formats


class Inflater:
    """Inflates gzip (also of several members) and deflate (with or without its header) piece by piece."""

    def __init__(self, encoding: str) -> None:
        self._wbits = 0 if encoding == "deflate" else _GZIP  # 0: chosen by the first two bytes, see _choose
        self._start = b""
        self._stream = zlib.decompressobj(_GZIP)
        self._left = MAX_INFLATED_BYTES

    @staticmethod
    def can(encoding: str) -> bool:
        """Whether there is a way to read this Content-Encoding."""
        return encoding in ("gzip", "x-gzip", "deflate")

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk inflates to, in pieces of at most 64 KiB; nothing more once it is broken or too large."""
        if not self._wbits:
            self._start += chunk
            chunk = self._choose() if len(self._start) >= 2 else b""
        while chunk and self._left > 0:
            try:
                piece = self._stream.decompress(chunk, _PIECE)
            except zlib.error:
                self._left = 0
                return
            chunk = self._stream.unconsumed_tail
            if self._stream.eof:
                chunk, self._stream = self._stream.unused_data, zlib.decompressobj(self._wbits)
            self._left -= len(piece)
            if piece:
                yield piece

    def _choose(self) -> bytes:
        """Choose the format by the first two bytes; returns all bytes so far.

        Some servers say deflate but leave out zlib's header: two bytes that name method 8 and are a multiple of 31.
        """
        headed = self._start[0] & 15 == 8 and int.from_bytes(self._start[:2], "big") % 31 == 0
        self._wbits = _ZLIB if headed else _RAW
        self._stream = zlib.decompressobj(self._wbits)
        return self._start
