"""Clients of the proof that speak Responses over WebSocket: threads with one session after the other."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from contextlib import suppress

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

PAUSE = 0.1  # seconds before the next call when one was refused or broke off
SECONDS = 3  # a session that is silent for longer is given up; OpenAI's side of the proof leaves some responses hanging
LANES = ("a", "b", "c")
CREATE = {"type": "response.create", "model": "gpt-4o-mini", "input": "hi"}
logging.getLogger("websockets").setLevel(logging.CRITICAL)  # it logs each connection that broke
OVER = ("response.completed", "error")


class Talker:
    """One thread's sessions. ``made``: tags of the responses asked for; ``ended``: of those whose end came."""

    def __init__(self, port: int, key: str, name: str, seed: str) -> None:
        self._url, self._key, self._name = f"ws://127.0.0.1:{port}/api/v1/proxy/responses", key, name
        self._dice, self._count = random.Random(seed), 0
        self.made: list[str] = []
        self.ended: list[str] = []

    def run(self, stop: threading.Event) -> None:
        """Talk until ``stop`` is set, in sessions of up to 20 turns."""
        while not stop.is_set():
            try:
                with connect(
                    self._url,
                    additional_headers={"Authorization": f"Bearer {self._key}"},
                    compression=None,
                    close_timeout=SECONDS,
                    open_timeout=SECONDS,
                ) as ws:
                    for _ in range(self._dice.randint(1, 20)):
                        if stop.is_set() or not self._turn(ws):
                            break
            except (OSError, WebSocketException, EOFError):
                time.sleep(PAUSE)

    def _turn(self, ws: ClientConnection) -> bool:
        """Ask for a response in each of some lanes and wait for their ends. Returns whether the session goes on."""
        waiting: dict[str, str] = {}
        for lane in LANES[: self._dice.randint(1, len(LANES))]:
            self._count += 1
            tag = f"{self._dice.choice(('socket', 'socket', 'slow'))}-{self._name}-{self._count}"
            self.made.append(tag)
            waiting[lane] = tag
            ws.send(json.dumps(CREATE | {"user": tag, "stream_id": lane}))
        if self._dice.random() < 0.03:  # leaves while the responses are under way
            with suppress(OSError):
                ws.socket.close()
            return False
        while waiting:
            event = json.loads(ws.recv(timeout=SECONDS))
            if event["type"] in OVER and (tag := waiting.pop(event.get("stream_id"), None)):
                if event["type"] == OVER[0]:
                    self.ended.append(tag)
                else:
                    time.sleep(PAUSE)
        return True
