"""Snippets of docs/clients.md, which sets up each client. `make prove-clients` runs them, pages show them."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from webapp.config import ROOT

DOCUMENT = ROOT / "docs/clients.md"
URL, KEY = "http://127.0.0.1:8000/api/v1/proxy", "sk-spend-…"
# A line of ```, the language, a file to write the text to or the word not-run; the text; a line of ```.
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)\n```$", re.M | re.S)
NAMES = {"sh": "Shell", "python": "Python", "js": "JavaScript"}


class Snippet(NamedTuple):
    """One fenced block. file: where the client looks for the text, "" if it is run; run: false if it is only shown."""

    language: str
    file: str
    text: str
    run: bool

    @property
    def title(self) -> str:
        return self.file or NAMES[self.language]

    def filled(self, base_url: str, key: str) -> Snippet:
        """This snippet with another base URL and key."""
        return self._replace(text=self.text.replace(URL, base_url).replace(KEY, key))


class Section(NamedTuple):
    """One section: the snippets that set the client up, then those of its subsections."""

    name: str
    setup: list[Snippet]
    more: list[Snippet]


def snippets(text: str) -> list[Snippet]:
    return [
        Snippet(language, "" if word == "not-run" else word, body, word != "not-run")
        for language, word, body in BLOCK.findall(text)
    ]


def read(document: str) -> list[Section]:
    """Every section (``## name``) of a document that is written like docs/clients.md, in order."""
    sections = re.split(r"^## (.+)\n", document, flags=re.M)[1:]
    parts = [(name, *body.partition("\n### ")[::2]) for name, body in zip(sections[::2], sections[1::2], strict=True)]
    return [Section(name, snippets(setup), snippets(more)) for name, setup, more in parts]


@cache
def clients() -> list[Section]:
    return read(DOCUMENT.read_text(encoding="utf-8"))


def filled(base_url: str, key: str = KEY) -> list[Section]:
    """Clients for a page that shows how to set them up, with this base URL and key filled in."""
    shown = [client for client in clients() if any(snippet.run for snippet in client.setup)]
    return [Section(c.name, [snippet.filled(base_url, key) for snippet in c.setup], []) for c in shown]
