"""Clients of the proof: threads that call the proxy without ever repeating a call, and remember how each one ended."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
KINDS = {"json": 62, "sse": 22, "slow": 6, "leaves": 10}
SECONDS = 20  # a socket that is silent for longer is given up


class Clients:
    """``with clients.calling(round): …``; ``ended`` are the tags of calls whose whole answer came, ``made`` of all."""

    def __init__(self, port: int, key: str, seed: int, number: int = 24) -> None:
        self.port, self.key, self.seed, self.number = port, key, seed, number
        self.made: list[str] = []
        self.ended: list[str] = []

    @contextmanager
    def calling(self, name: str) -> Iterator[None]:
        """Calls go out while the context lasts; its end waits for those under way."""
        self.made, self.ended, stop = [], [], threading.Event()
        threads = [threading.Thread(target=self._run, args=(name, n, stop)) for n in range(self.number)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _run(self, name: str, number: int, stop: threading.Event) -> None:
        dice, connection, count = random.Random(f"{self.seed}/{name}/{number}"), self._connection(), 0
        while not stop.is_set():
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            count += 1
            tag = f"{kind}-{name}-{number}-{count}"
            self.made.append(tag)
            try:
                if self._call(connection, kind, tag, dice):
                    self.ended.append(tag)
                elif kind == "leaves":
                    connection.close()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.1)
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)

    def _call(self, connection: http.client.HTTPConnection, kind: str, tag: str, dice: random.Random) -> bool:
        """Make one call; whether all of a good answer came."""
        stream = kind in ("sse", "slow") or (kind == "leaves" and dice.random() < 0.8)
        body = json.dumps(CHAT | {"stream": stream, "user": tag})
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/proxy/chat/completions", body, headers)
        if kind == "leaves" and dice.random() < 0.3:
            time.sleep(dice.uniform(0, 0.01))
            return False
        answer = connection.getresponse()
        if kind == "leaves":
            answer.read1(100)
            return False
        data = answer.read()
        return answer.status == 200 and (not stream or data.endswith(b"data: [DONE]\n\n"))
