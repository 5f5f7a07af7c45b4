"""Puts results into the docs, between the markers of each part; the text around them is written by hand."""

from __future__ import annotations

from webapp.config import ROOT

DOCUMENT = "docs/performance.md"
OTHERS = {"beyond": "docs/beyond.md"}


def write(part: str, text: str) -> None:
    """Replace the text between the markers of a part."""
    begin, end = f"<!-- {part}: written by make bench -->", f"<!-- end of {part} -->"
    document = ROOT / OTHERS.get(part, DOCUMENT)
    page = document.read_text()
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    assert found and closed, f"{document.name} has no part {part}"
    document.write_text(f"{head}{begin}\n{text.strip()}\n{end}{tail}")
