"""Somebody who keeps a page and the API open at every gateway, and remembers how each was answered."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import requests

from webapp.auth import AS_OF

PATHS = ("/", "/api/v1/usage?group_by=day")
SECONDS = 30  # for an answer; one that takes longer counts as none
PAUSE = 0.05


class Read(NamedTuple):
    """One answer. begun, ended: time.monotonic(); status: 0 for none; by_replica: it says as of when it was read."""

    port: int
    path: str
    begun: float
    ended: float
    status: int
    by_replica: bool


class Readers:
    """``with readers.reading(): …``; ``seen`` are the answers since it began."""

    def __init__(self, ports: Sequence[int], token: str) -> None:
        self.ports, self.seen = list(ports), []
        self._headers = {"Authorization": f"Bearer {token}", "Cookie": f"spendai={_session(self.ports[0])}"}

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.seen, stop = [], threading.Event()
        threads = [threading.Thread(target=self._run, args=(port, path, stop)) for port in self.ports for path in PATHS]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def by_replica(self, since: float) -> set[tuple[int, str]]:
        """Gateways and what they have read from a replica for requests since a moment."""
        return {(read.port, read.path) for read in list(self.seen) if read.by_replica and read.begun > since}

    def _run(self, port: int, path: str, stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            begun, status, by_replica = time.monotonic(), 0, False
            try:
                url = f"http://127.0.0.1:{port}{path}"
                answer = requests.get(url, headers=self._headers, timeout=SECONDS, allow_redirects=False)
                status, by_replica = answer.status_code, AS_OF in answer.headers
            except requests.RequestException:
                pass  # the gateway was killed
            self.seen.append(Read(port, path, begun, time.monotonic(), status, by_replica))


def _session(port: int) -> str:
    """The cookie of a browser in which Ada has logged in."""
    with requests.Session() as browser:
        form = browser.get(f"http://127.0.0.1:{port}/login", timeout=SECONDS).text
        token = re.search(r'name="csrf_token" value="([^"]*)"', form)[1]
        words = {"csrf_token": token, "email": "ada@example.test", "password": "correct horse"}
        browser.post(f"http://127.0.0.1:{port}/login", words, timeout=SECONDS, allow_redirects=False)
        return browser.cookies["spendai"]
