"""Snippets of docs/clients.md: each can be read, and pages show the same ones with address and key filled in."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from clients.drive import INSTALLED, Installed
from conftest import Site
from seeded import Acme, text
from test_pages_keys import SECRET, create

from webapp.config import ROOT
from webapp.pages import clients
from webapp.pages.clients import KEY, URL, Section, Snippet, filled

ALL = [(client.name, number, snippet) for client in clients.clients()
       for number, snippet in enumerate([*client.setup, *client.more])]  # fmt: skip
TEXT = clients.DOCUMENT.read_text()


def parse(snippet: Snippet, folder: Path) -> None:
    """Raise an error if a snippet is not in its language."""
    match snippet.language:
        case "python":
            compile(snippet.text, "snippet", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        case "json":
            json.loads(snippet.text)
        case "toml":
            tomllib.loads(snippet.text)
        case "sh":
            subprocess.run(["sh", "-n"], input=snippet.text, text=True, check=True)
        case _:
            (folder / "snippet.mjs").write_text(snippet.text)
            assert snippet.language == "js"


@pytest.mark.parametrize(("name", "number", "snippet"), ALL, ids=[f"{name}-{number}" for name, number, _ in ALL])
def test_every_snippet_parses(name: str, number: int, snippet: Snippet, tmp_path: Path) -> None:
    parse(snippet, tmp_path)
    assert snippet.title


def test_every_block_of_the_document_is_a_snippet_of_a_client() -> None:
    assert len(re.findall("^```", TEXT, re.M)) == 2 * len(ALL)


def test_every_snippet_that_runs_belongs_to_a_client_that_the_proof_installs() -> None:
    assert {name for name, _, snippet in ALL if snippet.run} == set(INSTALLED)


def test_every_client_has_the_address_and_the_key_in_what_sets_it_up() -> None:
    for client in filled("https://spend.example/api/v1/proxy", "sk-spend-mine"):
        whole = "".join(snippet.text for snippet in client.setup)
        assert "https://spend.example/api/v1/proxy" in whole and "sk-spend-mine" in whole, client.name
        assert URL not in whole and KEY not in whole


def test_files_and_snippets_that_are_only_shown_are_told_from_those_that_run() -> None:
    document = (
        "text\n## One\n```toml ~/a.toml\na = 1\n```\n```sh\nrun\n```\n### More\n```js not-run\nx\n```\n## Two\nwords\n"
    )
    setup = [Snippet("toml", "~/a.toml", "a = 1", run=True), Snippet("sh", "", "run", run=True)]
    more = [Snippet("js", "", "x", run=False)]
    assert clients.read(document) == [Section("One", setup, more), Section("Two", [], [])]


def test_the_page_of_a_new_key_shows_the_documents_snippets_for_every_client(site: Site) -> None:
    page = create(Acme(site))
    (key,) = set(SECRET.findall(page.text))
    shown = filled(site.config.public_url + "/api/v1/proxy", key)
    assert len(shown) == len(INSTALLED)
    assert re.findall(r'<label for="client-\d+">(.+?)</label>', page.text) == [client.name for client in shown]
    for snippet in (snippet for client in shown for snippet in client.setup):
        assert " ".join(snippet.text.split()) in " ".join(text(page).split())


def test_the_readme_leads_to_the_document() -> None:
    assert "(docs/clients.md)" in (ROOT / "README.md").read_text()


def pinned(place: Installed) -> str:
    """The version of a client that its list names."""
    lists = ROOT / ".ci/clients" / f"{place.environment}.txt"
    if lists.exists():
        return re.search(rf"^{place.package}(?:\[\w+\])?==([\w.]+)", lists.read_text(), re.M)[1]
    package = ROOT / ".ci/clients/npm" / place.environment / "package.json"
    return json.loads(package.read_text())["dependencies"][place.package]


def test_the_table_has_every_client_at_the_version_that_is_locked() -> None:
    rows = dict(re.findall(r"^\| ([\w -]+?) \| ([\d.]+) \| \d+ \| \d+ \| one row each, exact \|$", TEXT, re.M))
    assert rows.pop("curl")
    assert rows == {name: pinned(place) for name, place in INSTALLED.items() if place.package}
