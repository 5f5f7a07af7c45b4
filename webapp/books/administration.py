"""Asks OpenAI's Administration API with an admin key, page after page; what is no complete answer is a BooksError.

The key is sent in one header, to the base URL only: redirects are not followed, and neither proxies nor .netrc are read
from the environment. No message holds the key, also where OpenAI's answer repeats it.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from webapp.books.values import BooksError
from webapp.upstream import addresses

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
MIB = 1024 * 1024
MOST_PAGES = 1000
WIDTHS = {"1d": 86_400, "1m": 60}  # seconds of a bucket of a report
LISTED = 100  # rows of one page of projects or keys
Params = list[tuple[str, str | int]]


class FetchBounds(NamedTuple):
    """What the answers of one fetch may take: bytes of each, bytes of all together, and seconds from first to last."""

    answer: int
    answers: int
    seconds: float


OPENAI = FetchBounds(32 * MIB, 1024 * MIB, 3600)
# Another server may belong to somebody who wants to harm the other organizations: parsing 32 MiB of odd JSON takes 17
# seconds, in which a gateway process answers nobody, and 1 GiB of memory.
ELSEWHERE = FetchBounds(MIB, 16 * MIB, 120)  # asked by a gateway
ELSEWHERE_BY_COMMAND = FetchBounds(32 * MIB, 128 * MIB, 900)  # which delays only the organizations that come after it


class AnswerTooLarge(BooksError):
    """An answer has more bytes than its bound."""


class Administration:
    """One fetch's way to the API. requests: how many were sent. now: the time by OpenAI's clock, of its last answer."""

    def __init__(self, base_url: str, key: str, bounds: FetchBounds = OPENAI, *, private: bool = True) -> None:
        """private: whether the base URL may lead to a loopback or private address."""
        self._base_url, self._key = base_url.rstrip("/"), key
        self._bounds, self._room, self._until = bounds, bounds.answers, time.monotonic() + bounds.seconds
        self._sockets: list[socket.socket] = []
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _CheckedAdapter(private, self._sockets))
        self.requests, self.now = 0, datetime.now(UTC)

    def get(self, path: str, params: Params) -> dict[str, Any]:
        """The JSON object that a GET below /organization answers with status 200."""
        self.requests += 1
        url, headers = f"{self._base_url}/organization/{path}", {"Authorization": f"Bearer {self._key}"}
        most = min(self._bounds.answer, self._room)
        try:
            with self._in_time(), self._session.get(
                url, params=params, headers=headers, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False,
                stream=True,
            ) as answer:  # fmt: skip
                body = answer.raw.read(most + 1, decode_content=True)
                status, said = answer.status_code, answer.headers
        except (requests.Timeout, TimeoutError):
            raise BooksError(f"{path}: OpenAI did not answer in time") from None
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            slow = self._over() or "timed out" in str(error).lower()
            what = "did not answer in time" if slow else "could not be reached, or broke off its answer"
            raise BooksError(f"{path}: OpenAI {what}") from None
        self._room = max(self._room - len(body), 0)
        if self._over():  # what was read may be cut off
            raise BooksError(f"{path}: OpenAI did not answer in time")
        if len(body) > most:
            raise AnswerTooLarge(f"{path}: OpenAI's answer is larger than {most} bytes")
        self.now = _date(said.get("date"))
        if status != 200:
            raise self._refusal(path, status, said.get("retry-after"), body)
        return _object(path, body)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Shut the connections down when the fetch's time is over: time-outs of a socket begin anew with each byte."""
        timer = threading.Timer(max(self._until - time.monotonic(), 0), self._shut_down)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _over(self) -> bool:
        return time.monotonic() >= self._until

    def _shut_down(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):  # it has ended already
                sock.shutdown(socket.SHUT_RDWR)

    def buckets(self, path: str, width: str, start: int, limit: int, params: Params) -> Iterator[dict[str, Any]]:
        """All buckets of a report from ``start`` on; every page repeats the parameters of the first.

        limit: how many a page has. A day of a large organization has thousands of lines: where a page is too large,
        the rest is asked for in smaller ones.
        """
        while True:
            asked = [("start_time", start), ("bucket_width", width), ("limit", limit), *params]
            try:
                for bucket in self._pages(path, asked, "page", lambda answer: answer.get("next_page")):
                    yield bucket
                    start = bucket["start_time"] + WIDTHS[width]  # whoever took the bucket has checked it
                return
            except AnswerTooLarge as error:
                if limit == 1 or not self._room:
                    raise BooksError(f"{error}: fetch fewer days at a time, or with flask books fetch") from None
                limit = max(limit // 8, 1)

    def rows(self, path: str, params: Params) -> Iterator[dict[str, Any]]:
        """All rows of a list."""
        last = lambda answer: answer.get("last_id") or (answer["data"][-1].get("id") if answer["data"] else None)  # noqa: E731
        return self._pages(path, [("limit", LISTED), *params], "after", last)

    def _pages(
        self, path: str, params: Params, cursor: str, following: Callable[[dict[str, Any]], Any]
    ) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        more: Params = []
        for _ in range(MOST_PAGES):
            answer = self.get(path, params + more)
            data = answer.get("data")
            if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
                raise BooksError(f"{path}: OpenAI's answer has no data")
            yield from data
            if not answer.get("has_more"):
                return
            found = following(answer)
            if not isinstance(found, str) or not found:
                raise BooksError(f"{path}: OpenAI says that there is more, and not where")
            if found in seen:
                raise BooksError(f"{path}: OpenAI's pages repeat themselves")
            seen.add(found)
            more = [(cursor, found)]
        raise BooksError(f"{path}: OpenAI's answer has more than {MOST_PAGES} pages")

    def _refusal(self, path: str, status: int, retry_after: str | None, body: bytes) -> BooksError:
        """What an answer that is not 200 means. "Missing scopes" comes with different status codes."""
        said = self._message(body)
        if "missing scopes" in said.lower():
            text = "the admin key lacks a right. Make one with the permission Read only"
        elif status == 401:
            text = "OpenAI does not accept the admin key"
        elif status == 403:
            text = "the admin key may not read this"
        elif status == 429:
            wait = retry_after if retry_after and re.fullmatch(r"\d{1,6}", retry_after) else None
            text = "OpenAI's rate limit is reached. Try again " + (f"in {wait} s" if wait else "later")
        elif status >= 500 or status == 404:
            text = "OpenAI has a fault. Try again later"
        else:
            text = "OpenAI refuses the request"
        words = f"{path}: {text} (status {status}" + (f": {said})" if said else ")")
        return BooksError(words, status=status, refused=status in (401, 403) or "missing scopes" in said.lower())

    def _message(self, body: bytes) -> str:
        """OpenAI's words in an error, without anything like a key; "" for a body of another form."""
        try:
            error = json.loads(body).get("error")
        except (ValueError, AttributeError, RecursionError):
            return ""
        text = error.get("message") if isinstance(error, dict) else error
        if not isinstance(text, str):
            return ""
        clean = "".join(c for c in text.replace(self._key, "…") if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF)
        return re.sub(r"\bsk-[\w*.-]+", "sk-…", clean)[:300].rstrip(". ")


def _object(path: str, body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode(), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BooksError(f"{path}: OpenAI's answer is not complete JSON") from None
    if not isinstance(value, dict):
        raise BooksError(f"{path}: OpenAI's answer is not a JSON object")
    return value


def _date(header: str | None) -> datetime:
    """The moment of a Date header; that of our clock where there is none."""
    try:
        return parsedate_to_datetime(header or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


class _CheckedAdapter(HTTPAdapter):
    """Connects to addresses that are allowed only, see webapp/upstream/addresses.py.

    sockets: gets another handle of each connection, which works also while TLS takes the first one over.
    """

    def __init__(self, private: bool, sockets: list[socket.socket]) -> None:
        self._private, self._sockets = private, sockets
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pools = {"http": (HTTPConnectionPool, HTTPConnection), "https": (HTTPSConnectionPool, HTTPSConnection)}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": _checked(connection, self._private, self._sockets)})
            for scheme, (pool, connection) in pools.items()
        }


def _checked(kind: type[HTTPConnection], private: bool, sockets: list[socket.socket]) -> type[HTTPConnection]:
    """The class of connections whose sockets lead to allowed addresses."""

    def connect(self: HTTPConnection) -> Any:
        try:
            sock = addresses.connect(self._dns_host, self.port, CONNECT_SECONDS, private=private)
            sockets.append(sock.dup())
            return sock
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, str(error)) from None

    return type(kind.__name__, (kind,), {"_new_conn": connect})
