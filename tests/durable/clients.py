"""Clients of the proof: threads that call the proxy without ever repeating a call, and remember how each one ended."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from durable.talkers import PAUSE, Talker

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
KINDS = {"json": 62, "sse": 22, "slow": 6, "leaves": 10}
SECONDS = 20  # a socket that is silent for longer is given up


class Seen(NamedTuple):
    """One answer read to its end. begun, ended: time.monotonic(); again: it said when to try again."""

    port: int
    begun: float
    ended: float
    status: int
    again: bool
    whole: bool


class Clients:
    """``with clients.calling(round): …``; ``ended`` are the tags of calls whose whole answer came, ``made`` of all.

    Several ports are several gateways: each client keeps to one of them. Besides ``number`` clients over HTTP there are
    so many ``talkers`` over WebSocket.
    """

    def __init__(self, ports: int | Sequence[int], key: str, seed: int, number: int = 24, talkers: int = 0) -> None:
        self.ports = [ports] if isinstance(ports, int) else list(ports)
        self.key, self.seed, self.number, self.talkers = key, seed, number, talkers
        self.made: list[str] = []
        self.ended: list[str] = []
        self.seen: list[Seen] = []

    @contextmanager
    def calling(self, name: str) -> Iterator[None]:
        """Calls go out while the context lasts; its end waits for those under way."""
        self.made, self.ended, self.seen, stop = [], [], [], threading.Event()
        talkers = [self._talker(f"{name}-w{n}", n) for n in range(self.talkers)]
        threads = [threading.Thread(target=self._run, args=(name, n, stop)) for n in range(self.number)]
        threads += [threading.Thread(target=talker.run, args=(stop,)) for talker in talkers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for talker in talkers:
                self.made += talker.made
                self.ended += talker.ended

    def _talker(self, name: str, number: int) -> Talker:
        return Talker(self.ports[number % len(self.ports)], self.key, name, f"{self.seed}/{name}")

    def _run(self, name: str, number: int, stop: threading.Event) -> None:
        port, count = self.ports[number % len(self.ports)], 0
        dice, connection = random.Random(f"{self.seed}/{name}/{number}"), connect(port)
        while not stop.is_set():
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            count += 1
            tag = f"{kind}-{name}-{number}-{count}"
            self.made.append(tag)
            try:
                if kind == "leaves":
                    self._leave(connection, tag, dice)
                    connection.close()
                elif (seen := call(connection, self.key, tag, stream=kind != "json")).whole:
                    self.ended.append(tag)
                    self.seen.append(seen)
                else:
                    self.seen.append(seen)
                    time.sleep(PAUSE if seen.status == 503 else 0)
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(PAUSE)
        connection.close()

    def _leave(self, connection: http.client.HTTPConnection, tag: str, dice: random.Random) -> None:
        """A client that does not wait for the end of its answer, or for its beginning."""
        send(connection, self.key, tag, stream=dice.random() < 0.8)
        if dice.random() < 0.3:
            time.sleep(dice.uniform(0, 0.01))
        else:
            connection.getresponse().read1(100)


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)


def send(connection: http.client.HTTPConnection, key: str, tag: str, *, stream: bool) -> None:
    body = json.dumps(CHAT | {"stream": stream, "user": tag})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/proxy/chat/completions", body, headers)


def call(connection: http.client.HTTPConnection, key: str, tag: str, *, stream: bool = False) -> Seen:
    """Make one call and read its answer to the end; ``whole``: all of a good answer came."""
    begun = time.monotonic()
    send(connection, key, tag, stream=stream)
    answer = connection.getresponse()
    data = answer.read()
    whole = answer.status == 200 and (not stream or data.endswith(b"data: [DONE]\n\n"))
    again = bool(answer.getheader("retry-after"))
    return Seen(connection.port, begun, time.monotonic(), answer.status, again, whole)
