"""The written matrix of docs/security.md: who reads what, who runs what, who may name things in which schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/security.md"
NOTHING = "–"
CELLS = (NOTHING, "own", "own, admins", "own and list", "own and install", "all")
VIEWS, REST = "every view", "everything else"


class Matrix(NamedTuple):
    """reads: relation → role → cell; hidden: (relation, column); runs: role → functions; uses: role → schemas.

    Relations of schema public go by their bare name, functions by schema and name.
    """

    reads: dict[str, dict[str, str]]
    hidden: set[tuple[str, str]]
    runs: dict[str, set[str]]
    uses: dict[str, set[str]]

    def cell(self, relation: str, kind: str, role: str) -> str:
        """What this role sees of a relation (kind: v for a view)."""
        row = self.reads.get(relation) or (self.reads[VIEWS] if kind == "v" else self.reads[REST])
        return row[role]


def tables(text: str) -> list[list[list[str]]]:
    """Markdown tables as rows of cells, without the line of dashes."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not set("".join(cells)) <= set("-: "):
                found[-1].append(cells)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def words(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def read(text: str) -> Matrix:
    """Read the two tables, which their first cells tell from others. ValueError for unknown words."""
    found = {table[0][0]: table for table in tables(text)}
    reading, running = found["May read rows of"], found["Role"]
    roles = [words(cell)[0] for cell in reading[0][1:]]
    matrix = Matrix({}, set(), {}, {})
    for what, *cells in reading[1:]:
        if unknown := set(cells) - set(CELLS):
            raise ValueError(f"{what}: {unknown} is none of {CELLS}")
        names, _, hidden = what.partition(" without ")
        for name in words(names) or [names]:
            matrix.reads[name] = dict(zip(roles, cells, strict=True))
            matrix.hidden.update((name, column) for column in words(hidden))
    for who, schemas, functions in running[1:]:
        for role in words(who):
            matrix.uses[role] = set(words(schemas))
            matrix.runs[role] = {name if "." in name else f"app.{name}" for name in words(functions)}
    return matrix
