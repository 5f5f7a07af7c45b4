"""`make prove-clients`: runs every snippet of docs/clients.md with the real client, then looks into the ledger.

OpenAI is a stand-in (openai_stand_in.py), the product is the real one. What a client prints must contain what was
answered, and the ledger must have one row for each call or response in a WebSocket: priced, at the cost that its tokens
come to. Prints a table; exit status 1 when something is wrong. ``--write`` puts its lines into docs/clients.md.
``--shared``: the OpenAI key serves several organizations, so references to what stays at OpenAI are refused. Names of
clients as arguments: only these.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from certificates import Https
from clients.costs import expected, prices
from clients.drive import INSTALLED, prepare, run
from clients.openai_stand_in import Answer, OpenAI
from clients.sessions import HTTP, PREWARM
from durable.product import Product
from fake_socket import is_upgrade
from fake_upstream import FakeUpstream
from processes import empty_folder

from webapp.pages.clients import DOCUMENT, Section, Snippet, clients

AGAIN = "Reconnecting"  # what Codex prints when a connection has failed
PUBLIC = "spendai.example"  # host of an address behind https in the document
BEGIN, END = "<!-- table: written by make prove-clients -->", "<!-- end of table -->"
HEAD = "| client | version | snippets | calls | ledger |\n|---|---|---:|---:|---|"


class Line(NamedTuple):
    """One line of the table. faults: what was wrong, in words; empty if all is well."""

    client: str
    version: str
    snippets: int = 0
    calls: int = 0
    ledger: str = ""
    faults: tuple[str, ...] = ()

    def row(self) -> str:
        return "| " + " | ".join([self.client, self.version, str(self.snippets), str(self.calls), self.ledger]) + " |"


def arrived(snippet: Snippet, answers: list[Answer], printed: str) -> bool:
    """Whether a client showed what was answered.

    A program shows every text, and the call of a tool if nothing came after it. A command line tool makes calls of its
    own (opencode asks for a title), so one answer is enough there. A prewarmed response has no text.
    """
    texts = [answer for answer in answers if answer.way != PREWARM]
    shown = [answer.mark in printed for answer in texts if not answer.tool or answer is texts[-1]]
    return any(shown) if snippet.language == "sh" else bool(shown) and all(shown)


class Matrix:
    """The clients in front of one running product."""

    def __init__(self, product: Product, openai: OpenAI, upstream: FakeUpstream, https: Https, home: Path) -> None:
        self.product, self.openai, self.upstream, self.https, self.home = product, openai, upstream, https, home
        self.base_url, self.key = f"http://127.0.0.1:{product.port}/api/v1/proxy", product.key()
        self.prices, self.seen = prices(), set[str]()

    def line(self, client: Section) -> Line:
        """Run all snippets of a client."""
        installed = INSTALLED[client.name]
        if missing := installed.missing():
            return Line(client.name, "", ledger=missing)
        home = self.home / installed.environment / client.name.replace(" ", "-")
        home.mkdir(parents=True)
        filled = Section(client.name, *([self.filled(snippet) for snippet in part] for part in client[1:]))
        prepare(filled, installed, home)
        before = len(self.openai.answers)
        runs = [snippet for snippet in [*filled.setup, *filled.more] if snippet.run and not snippet.file]
        faults = [fault for snippet in runs for fault in self.faults(snippet, client.name, home)]
        calls = len(self.openai.answers) - before
        words = "one row each, exact" if not faults else "wrong"
        return Line(client.name, installed.version(), len(runs), calls, words, tuple(faults))

    def filled(self, snippet: Snippet) -> Snippet:
        """The snippet with the address of this product, behind https where the document shows it so."""
        filled = snippet.filled(self.base_url, self.key)
        return filled._replace(text=filled.text.replace(PUBLIC, f"127.0.0.1:{self.https.port}"))

    def faults(self, snippet: Snippet, name: str, home: Path) -> list[str]:
        """Run one snippet; what is wrong with what it printed and with the ledger."""
        answered, asked = len(self.openai.answers), len(self.upstream.requests)
        status, printed = run(snippet, INSTALLED[name], home, self.https.certificate)
        answers, requests = self.openai.answers[answered:], self.upstream.requests[asked:]
        good = status == 0 and arrived(snippet, answers, printed) and AGAIN not in printed
        found = [] if good else [f"exit status {status}, printed: {printed[-1500:]}"]
        rows, upgrades = self.new_rows(), sum(map(is_upgrade, requests))
        calls = len(requests) - upgrades + sum(answer.way != HTTP for answer in answers)
        if len(rows) != calls:
            found.append(f"{calls} calls and {len(rows)} rows")
        if (sessions := self.new_sessions()) != upgrades:
            found.append(f"{upgrades} WebSocket sessions and {sessions} rows of them that have ended")
        wanted = Counter(expected(answer, self.prices) for answer in answers)
        there = Counter(row for row in rows if row[-2] != "free")
        found += [f"no row {row}" for row in (wanted - there)] + [f"a row too many {row}" for row in (there - wanted)]
        return [f"{name}, {snippet.title}: {fault}" for fault in found]

    def new_rows(self) -> list[tuple[Any, ...]]:
        """Rows of the ledger that were not there the last time, once none of them is open or 30 seconds have passed."""
        query = """select id::text, model, tokens_in, tokens_cached, tokens_out, cost, cost_status, state
                   from public.usage_logs where not id = any(%s::uuid[])"""
        return [tuple(row.values())[1:] for row in self._new(query)]

    def new_sessions(self) -> int:
        """The same for WebSocket sessions: how many have ended."""
        query = "select id::text, state from public.sessions where not id = any(%s::uuid[])"
        return sum(row["state"] == "ended" for row in self._new(query))

    def _new(self, query: str) -> list[dict[str, Any]]:
        end = time.monotonic() + 30
        rows = self.product.rows(query, list(self.seen))
        while any(row["state"] == "open" for row in rows) and time.monotonic() < end:
            time.sleep(0.05)
            rows = self.product.rows(query, list(self.seen))
        self.seen |= {row["id"] for row in rows}
        return rows


def merged(document: str, rows: list[str]) -> str:
    """A document whose table has these rows; those of other clients stay, all in the order of the sections."""
    head, begin, rest = document.partition(BEGIN)
    old, end, tail = rest.partition(END)
    assert begin and end, "the document has no table"
    there = {row.split(" | ")[0].removeprefix("| "): row for row in [*old.strip().splitlines(), *rows]}
    table = [HEAD, *(there[section.name] for section in clients() if section.name in there)]
    return "\n".join([f"{head}{begin}", *table, f"{end}{tail}"])


def prove(names: list[str], *, shared: bool = False) -> list[Line]:
    """The lines of the table, of these clients or of all if there are no names."""
    wanted = [client for client in clients() if client.name in (names or INSTALLED)]
    openai = OpenAI()
    with (
        empty_folder("spendai-clients-") as home,
        tempfile.TemporaryDirectory(prefix="spendai-clients-") as users,
        FakeUpstream(openai) as upstream,
    ):
        settings = {"UPSTREAM_READ_TIMEOUT": "30", "CALL_MAX_SECONDS": "60", "OPENAI_API_KEY_SHARED": str(int(shared))}
        product = Product(home, upstream.url, **settings)
        product.start()
        try:
            product.whole(0)
            with Https(product.port, Path(users)) as https:
                matrix = Matrix(product, openai, upstream, https, Path(users))
                return [printed(matrix.line(client)) for client in wanted]
        finally:
            product.stop()


def printed(line: Line) -> Line:
    print(line.row(), *line.faults, sep="\n", flush=True)
    return line


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", help="clients as they are called in docs/clients.md, by default all")
    asked.add_argument("--shared", action="store_true", help="the OpenAI key serves several organizations")
    asked.add_argument("--write", action="store_true", help="put the lines into the table of docs/clients.md")
    words = asked.parse_args()
    print(HEAD)
    lines = prove(words.names, shared=words.shared)
    if words.write:
        DOCUMENT.write_text(merged(DOCUMENT.read_text(), [line.row() for line in lines]))
    ran = [line for line in lines if line.snippets]
    print(f"{len(ran)} clients, {sum(line.calls for line in ran)} calls, {sum(len(x.faults) for x in lines)} faults")
    return 1 if any(line.faults for line in lines) or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
