"""Requests as gunicorn reads them: plain heads in one go, all others line by line, by gunicorn itself.

Plain is a head that nobody could read in another way: ASCII, single spaces, no name twice, none that gunicorn treats
specially. Whatever is the least bit odd takes gunicorn's own path, with its checks and errors.
"""

from __future__ import annotations

import re

from gunicorn.http import message

PLAIN = re.compile(r"^([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)(?=\r\n|\Z)", re.MULTILINE)


class Request(message.Request):
    """A request with a shorter way for its usual heads."""

    def parse_headers(self, data: bytes, from_trailer: bool = False) -> list[tuple[str, str]]:
        """Names in upper case with their values, in order."""
        if not from_trailer and len(data) < self.limit_request_field_size:
            text = data.decode("latin-1")
            headers = [(name.upper(), value) for name, value in PLAIN.findall(text)]
            if len(headers) == text.count("\n") + 1 <= self.limit_request_fields:
                names = {name for name, _ in headers}
                special = "EXPECT" in names or not names.isdisjoint(self.cfg.secure_scheme_headers)
                if len(names) == len(headers) and not special:
                    return headers
        return super().parse_headers(data, from_trailer)
