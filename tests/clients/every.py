"""`make prove-clients`: runs every snippet of docs/clients.md with the real client, then looks into the ledger.

OpenAI is a stand-in (answers.py), the product is the real one. What a client prints must contain what was answered,
and the ledger must have one row for each call: priced, at the cost that its tokens come to. Prints a table; exit status
1 when something is wrong. ``--write`` puts its lines into docs/clients.md. ``--shared``: the OpenAI key serves several
organizations, so references to what stays at OpenAI are refused. Names of clients as arguments: only these.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from clients.answers import Answer, OpenAI
from clients.drive import INSTALLED, prepare, run
from durable.product import Product
from fake_openai import SERVED
from fake_upstream import FakeUpstream
from processes import empty_folder
from stack import ROOT

from webapp.pages.clients import DOCUMENT, Section, Snippet, clients

BEGIN, END = "<!-- table: written by make prove-clients -->", "<!-- end of table -->"
DIMENSIONS = ("input_text", "cached_text", "output_text")
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


def prices() -> dict[tuple[str, str], Decimal]:
    """Dollars for one token of a model and dimension, standard tier and shortest context, as they are shipped."""
    with (ROOT / "db/prices/model_prices.csv").open() as file:
        return {
            (row["model"], row["dimension"]): Decimal(row["unit_price"]) / Decimal(row["unit_qty"])
            for row in csv.DictReader(file)
            if row["service_tier"] == "standard" and row["context_min_tokens"] == "0" and row["dimension"] in DIMENSIONS
        }  # fmt: skip


def expected(answer: Answer, price: dict[tuple[str, str], Decimal]) -> tuple[Any, ...]:
    """The row that the ledger must have for an answer."""
    given, cached, made = answer.tokens
    amounts = zip(DIMENSIONS, (given - cached, cached, made), strict=True)
    cost = sum(amount * price[answer.model, dimension] for dimension, amount in amounts)
    return SERVED.get(answer.model, answer.model), given, cached, made, cost, "priced", "settled"


def arrived(snippet: Snippet, answers: list[Answer], printed: str) -> bool:
    """Whether a client showed what was answered.

    A program shows every text, and the call of a tool if nothing came after it. A command line tool makes calls of its
    own (opencode asks for a title), so one answer is enough there.
    """
    shown = [answer.mark in printed for answer in answers if not answer.tool or answer is answers[-1]]
    return any(shown) if snippet.language == "sh" else bool(shown) and all(shown)


class Matrix:
    """The clients in front of one running product."""

    def __init__(self, product: Product, openai: OpenAI, upstream: FakeUpstream, home: Path) -> None:
        self.product, self.openai, self.upstream, self.home = product, openai, upstream, home
        self.base_url, self.key = f"http://127.0.0.1:{product.port}/api/v1/proxy", product.key()
        self.prices, self.seen = prices(), set[str]()

    def line(self, client: Section) -> Line:
        """Run all snippets of a client."""
        installed = INSTALLED.get(client.name)
        missing = installed.missing() if installed else "not run: its snippets are only shown"
        if installed is None or missing:
            return Line(client.name, "", ledger=missing)
        home = self.home / installed.environment / client.name.replace(" ", "-")
        home.mkdir(parents=True)
        filled = Section(client.name, *([s.filled(self.base_url, self.key) for s in part] for part in client[1:]))
        prepare(filled, installed, home)
        before = len(self.openai.answers)
        runs = [snippet for snippet in [*filled.setup, *filled.more] if snippet.run and not snippet.file]
        faults = [fault for snippet in runs for fault in self.faults(snippet, client.name, home)]
        calls = len(self.openai.answers) - before
        words = "one row each, exact" if not faults else "wrong"
        return Line(client.name, installed.version(), len(runs), calls, words, tuple(faults))

    def faults(self, snippet: Snippet, name: str, home: Path) -> list[str]:
        """Run one snippet; what is wrong with what it printed and with the ledger."""
        answered, asked = len(self.openai.answers), len(self.upstream.requests)
        status, printed = run(snippet, INSTALLED[name], home)
        answers, requests = self.openai.answers[answered:], self.upstream.requests[asked:]
        good = status == 0 and arrived(snippet, answers, printed)
        found = [] if good else [f"exit status {status}, printed: {printed[-1500:]}"]
        rows = self.new_rows()
        if len(rows) != len(requests):
            found.append(f"{len(requests)} calls and {len(rows)} rows")
        wanted = Counter(expected(answer, self.prices) for answer in answers)
        there = Counter(row for row in rows if row[-2] != "free")
        found += [f"no row {row}" for row in (wanted - there)] + [f"a row too many {row}" for row in (there - wanted)]
        return [f"{name}, {snippet.title}: {fault}" for fault in found]

    def new_rows(self) -> list[tuple[Any, ...]]:
        """Rows of the ledger that were not there the last time, once none of them is open or 30 seconds have passed."""
        query = """select id::text, model, tokens_in, tokens_cached, tokens_out, cost, cost_status, state
                   from public.usage_logs where not id = any(%s::uuid[])"""
        end = time.monotonic() + 30
        rows = self.product.rows(query, list(self.seen))
        while any(row["state"] == "open" for row in rows) and time.monotonic() < end:
            time.sleep(0.05)
            rows = self.product.rows(query, list(self.seen))
        self.seen |= {row["id"] for row in rows}
        return [tuple(row.values())[1:] for row in rows]


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
    wanted = [client for client in clients() if not names or client.name in names]
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
            matrix = Matrix(product, openai, upstream, Path(users))
            lines = []
            for client in wanted:
                lines.append(matrix.line(client))
                print(lines[-1].row(), *lines[-1].faults, sep="\n", flush=True)
            return lines
        finally:
            product.stop()


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
