"""Reads requests of clients: plain ones (nearly all) with two regular expressions, others with gunicorn's parser.

A request is plain if its head arrived in one piece and can be read in one way only: HTTP/1.1, an ASCII path, single
spaces, no header twice, a Content-Length or no body, and no header that gunicorn treats specially (Expect,
Transfer-Encoding, Upgrade, X-Forwarded-Proto …). The bytes of every other request are put back and read by gunicorn
with all its checks and errors. tests/webapp/server/test_requests.py compares both ways on generated requests.

What it gains, measured (`.venv/bin/python bench/server.py`): with gunicorn's parser and its way of making WSGI's
environ, a trivial request takes 2.0 to 2.8 times the processor time. Behind a proxy that sets X-Forwarded-Proto no
request is plain, and nothing is gained.
"""

from __future__ import annotations

import io
import os
import re
from functools import lru_cache
from typing import Any, BinaryIO

import gevent
from gunicorn.config import Config
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader
from gunicorn.http.wsgi import base_environ
from gunicorn.util import unquote_to_wsgi_str

LINE = re.compile(r'(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ((/(?!/)[!"$->@-~]*)(?:\?([!"$-~]*))?) HTTP/1\.1\r\n')
FIELD = re.compile(r"^([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)\r$", re.MULTILINE)
LENGTH = re.compile(r"[0-9]{1,18}")
ABSOLUTE = re.compile(r"https?://([\w.:\[\]-]+)((?:[/?#].*)?)", re.ASCII | re.IGNORECASE)
SPECIAL = {"HTTP_EXPECT", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE", "HTTP_HTTP2_SETTINGS"}


@lru_cache(maxsize=256)  # clients send the same few names; long ones, each another one, must not fill the memory
def _key(name: str) -> str:
    """The key of a header in WSGI's environ."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def trusted_proxies(setting: str | None) -> str:
    """FORWARDED_ALLOW_IPS for gunicorn, which compares addresses as they are written.

    A socket on :: reports an IPv4 client as ::ffff:127.0.0.1: each IPv4 address or network is listed in that form too.
    """
    words = [word.strip() for word in (setting or "").split(",") if word.strip()]
    for word in tuple(words):
        address, _, bits = word.partition("/")
        if re.fullmatch(r"[\d.]+", address):
            words.append(f"::ffff:{address}/{96 + int(bits or 32)}")
    return ",".join(words)


def as_origin_form(environ: dict[str, Any]) -> None:
    """Write a target with scheme and host, as clients of a forward proxy send it, like one without in WSGI's environ.

    Every server must accept such a target, and read the host in it instead of the header Host (RFC 9112, 3.2.2).
    """
    if found := ABSOLUTE.fullmatch(environ["RAW_URI"]):
        host, target = found.groups()
        environ["HTTP_HOST"], environ["RAW_URI"] = host, target if target.startswith("/") else f"/{target}"
        environ["PATH_INFO"] = environ["PATH_INFO"] or "/"


class Plain:
    """A plain request, with the attributes of gunicorn's Request that its worker uses.

    ``fields``: headers under their keys in WSGI's environ.
    """

    version, scheme, proxy_protocol_info = (1, 1), "http", None

    def __init__(self, line: re.Match[str], fields: dict[str, str], body: BinaryIO | Body) -> None:
        self.method, self.uri, self.path, self.query = line.groups("")
        self.fields, self.body = fields, body
        self.must_close = fields.get("HTTP_CONNECTION", "").lower() == "close"

    def force_close(self) -> None:
        """Close the connection after this request."""
        self.must_close = True

    def should_close(self) -> bool:
        """Whether the connection is closed after this request."""
        return self.must_close

    def environ(self, base: dict[str, Any], client: tuple[str, int], server: tuple[str, int]) -> dict[str, Any]:
        """WSGI's environ with the entries that gunicorn gives it; ``base``: entries that are equal for all requests.

        ``client`` and ``server`` are addresses: host and port.
        """
        return {
            **base, "wsgi.input": self.body, "wsgi.url_scheme": "http",
            "REQUEST_METHOD": self.method, "RAW_URI": self.uri, "QUERY_STRING": self.query, "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_wsgi_str(self.path) if "%" in self.path else self.path,
            "REMOTE_ADDR": client[0], "REMOTE_PORT": str(client[1]),
            "SERVER_NAME": server[0], "SERVER_PORT": str(server[1]), "SERVER_PROTOCOL": "HTTP/1.1",
            **self.fields,
        }  # fmt: skip


class Reader:
    """Reads the requests of a worker. An instance replaces the class ``Request`` that gunicorn's parser calls."""

    def __init__(self, cfg: Config, head_seconds: float = 20) -> None:
        """head_seconds: in which a head must arrive once it has begun; then its connection is closed."""
        self._head_seconds = head_seconds
        self.base = base_environ(cfg) | {"wsgi.multithread": True}
        self._special = SPECIAL | {_key(name) for name in cfg.secure_scheme_headers}
        # A head shorter than both limits has no line and no header that is longer than its limit.
        self._limit = min(cfg.limit_request_line or 8190, cfg.limit_request_field_size or 8190)
        self._fields = cfg.limit_request_fields
        self._off = cfg.is_ssl or cfg.proxy_protocol != "off" or "SCRIPT_NAME" in os.environ

    def __call__(self, cfg: Config, unreader: Unreader, client: Any, number: int = 1) -> Plain | Request:
        """The next request. Raises StopIteration at the end of the connection, and what gunicorn's Request raises."""
        if self._off or not isinstance(client, tuple):
            return Request(cfg, unreader, client, number)
        data = unreader.read()
        if not data:
            raise StopIteration
        if plain := self._plain(data, unreader):
            return plain
        unreader.unread(data)
        if b"\r\n\r\n" in data:
            return Request(cfg, unreader, client, number)
        with gevent.Timeout(self._head_seconds, False):
            return Request(cfg, unreader, client, number)
        raise StopIteration

    def _plain(self, data: bytes, unreader: Unreader) -> Plain | None:
        """The plain request at the start of ``data``, or None. What follows it is put back."""
        end = data.find(b"\r\n\r\n") + 2
        if not 2 <= end < self._limit:
            return None
        head = data[:end].decode("latin-1")
        line = LINE.match(head)
        if not line:
            return None
        found = FIELD.findall(head, line.end())
        fields = {_key(name): value for name, value in found}
        if not len(fields) == len(found) == head.count("\n") - 1 <= self._fields:
            return None
        length = fields.get("CONTENT_LENGTH", "0")
        known = fields.get("HTTP_CONNECTION", "keep-alive").lower() in ("keep-alive", "close")
        if not (known and LENGTH.fullmatch(length) and self._special.isdisjoint(fields)):
            return None
        start, stop = end + 2, end + 2 + int(length)
        if len(data) >= stop:  # the whole body has arrived
            if len(data) > stop:
                unreader.unread(data[stop:])
            return Plain(line, fields, io.BytesIO(data[start:stop]))
        unreader.unread(data[start:])
        return Plain(line, fields, Body(LengthReader(unreader, int(length))))
