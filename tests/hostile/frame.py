"""The frame of `make prove-hostile`: what is attacked, and the list of attacks.

An attack is a function with the decorator ``attack("name of its class")`` in a module of assault.MODULES. It gets a
Target and returns a Result:

    @attack("loops")
    def loops(target: Target) -> Result:
        result = Result()
        answer = target.stack.post(name="eve", json=CHAT)
        result.tried("a base URL that is the proxy itself", held=answer.status_code == 508)
        return result
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from typing import Any

import requests
from fake_upstream import FakeUpstream
from stack import Stack

from webapp.secrets.provider_keys import fingerprint
from webapp.secrets.vault import seal

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
SETTINGS = {"HEAD_SECONDS": "1", "CLIENT_SECONDS": "2", "MAX_CALLS_PER_KEY": "20", "UPSTREAM_READ_TIMEOUT": "4",
    "DRAIN_SECONDS": "1"}  # fmt: skip
numbers = count(1)
Database = Callable[[str], tuple[str, str]]  # makes a database of this name; the owner's and the superuser's DSN


class Result:
    """How many attempts an attack made, how many of them were held, and a sentence for each that was not."""

    def __init__(self) -> None:
        self.attempts, self.held = 0, 0
        self.findings: list[str] = []
        self._lock = Lock()

    def tried(self, what: str, *, held: bool, times: int = 1) -> None:
        """Count attempts of one kind. Threads may do so at the same time."""
        with self._lock:
            self.attempts += times
            self.held += times if held else 0
            if not held:
                self.findings.append(what)


class Target:
    """The product under attack. ``quick``: the attack takes a second or two, with fewer connections and calls.

    ``stack`` has SETTINGS: a head takes 1 second at most, … ``upstream`` stands for OpenAI.
    """

    def __init__(self, database: Database, upstream: FakeUpstream, *, quick: bool) -> None:
        self.database, self.upstream, self.quick = database, upstream, quick
        self.environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": upstream.url}
        self.stack = Stack(*database("hostile"), **self.environ, **SETTINGS)

    @contextmanager
    def other_stack(self, **settings: str) -> Iterator[Stack]:
        """Another install, with default settings where none are given."""
        with Stack(*self.database(f"hostile_{next(numbers)}"), **self.environ, **settings) as stack:
            yield stack

    def bring(self, base_url: str) -> str:
        """A new organization with this base URL, whose OpenAI key is its own SpendAI key; the name of its founder."""
        name, config, people = f"attacker{next(numbers)}", self.stack.config, self.stack.people
        people.found(name, name.title())
        key = people.keys[name].key
        sealed = seal(config.key_ring, key, people.orgs[name], None)
        with people.as_(name):
            given = [sealed, base_url, fingerprint(config, key)]
            people.one("select app.provider_key_set(null, %s, 'own', %s, %s, false)", *given)
        return name

    def connect(self, data: bytes, stack: Stack | None = None, address: str = "127.0.0.2") -> socket.socket:
        """A connection from this address that has sent ``data``."""
        port = (stack or self.stack).port
        sock = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0))
        sock.sendall(data)
        return sock

    def head(self, key: str, path: str = "/chat/completions", **headers: Any) -> bytes:
        """The head of a POST with a SpendAI key; ``_`` in the name of a header stands for ``-``."""
        lines = [f"POST /api/v1/proxy{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def serves(self, stack: Stack | None = None, times: int = 5) -> bool:
        """Whether others get their answers."""
        try:
            return all((stack or self.stack).post(json=CHAT).status_code == 200 for _ in range(times))
        except requests.RequestException:
            return False

    def open_calls(self) -> int:
        """Calls that are not settled."""
        return self.stack.conn.execute("select count(*) as n from usage_logs where state = 'open'").fetchone()["n"]

    def all_settled(self, seconds: float = 60) -> bool:
        """Whether every call is settled, now or within so many seconds."""
        try:
            return bool(self.stack.wait_for(lambda: self.open_calls() == 0, seconds))
        except AssertionError:
            return False


ATTACKS: dict[str, Callable[[Target], Result]] = {}


def attack(name: str) -> Callable[[Callable[[Target], Result]], Callable[[Target], Result]]:
    """Adds a function to the list of attacks, under the name of its class."""

    def add(function: Callable[[Target], Result]) -> Callable[[Target], Result]:
        assert name not in ATTACKS, f"two attacks are called {name}"
        ATTACKS[name] = function
        return function

    return add


def ended(sock: socket.socket) -> bytes | None:
    """The beginning of what the server answers, b"" if it closes the connection; None if neither within 20 seconds.

    A connection that was answered waits for its next request, for 75 seconds at most, while its body is thrown away.
    """
    try:
        return sock.recv(65536)
    except TimeoutError:
        return None
    except OSError:  # reset: closed while bytes were under way
        return b""
