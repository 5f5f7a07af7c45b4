"""The layout of webapp/: few files on its floor, rooms that the README names, no import circles, unique names."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from webapp.config import ROOT

FILES = sorted((ROOT / "webapp").rglob("*.py"))
ROOMS = sorted(path.parent.name for path in (ROOT / "webapp").glob("*/__init__.py"))
FLOOR = 12
BY_SUBJECT = {"api", "pages", "commands"}  # one file for each subject there, named after it: three ways to the same


def module(path: Path) -> str:
    """``webapp.gateway.call`` for its file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


@cache
def parsed(name: str) -> ast.Module:
    """Parsed when a test asks for it, not while tests are found, which every worker of pytest does."""
    return ast.parse(MODULES[name].read_text())


@cache
def imported(name: str) -> set[str]:
    """Modules of webapp that a module imports, at its top or inside of functions."""
    found = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {part if part in MODULES else node.module for part in inner}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
    return found - {name, "webapp"}


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Names in or before an import circle, or []: names that import none of the names left are taken out repeatedly."""
    left = dict(arrows)
    while ends := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ends:
            del left[name]
    return sorted(left)


def test_few_files_lie_on_the_floor() -> None:
    assert len(list((ROOT / "webapp").glob("*.py"))) <= FLOOR


def test_every_folder_is_a_room_that_says_what_it_is() -> None:
    for room in ROOMS:
        text = ast.get_docstring(parsed(f"webapp.{room}"))
        assert text and len(text.splitlines()) >= 2, f"webapp/{room}/__init__.py says what the room is for"


def test_every_room_names_the_rooms_that_it_imports() -> None:
    for room in set(ROOMS) - {"commands"}:  # which may import nearly all
        own = {name for name in MODULES if name.startswith(f"webapp.{room}")}
        others = {target.split(".")[1] for name in own for target in imported(name)} & set(ROOMS) - {room}
        words = set(re.findall(r"\w+", ast.get_docstring(parsed(f"webapp.{room}")) or ""))
        assert others - words == set(), f"webapp/{room}/__init__.py says which rooms it imports"


def test_the_readme_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [room for room in ROOMS if f"webapp/{room}/" not in readme] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    assert circle({name: imported(name) for name in MODULES if name != "webapp"}) == []


def test_no_room_imports_itself_in_a_circle() -> None:
    def room(name: str) -> str:
        return name.split(".")[1]

    arrows: dict[str, set[str]] = defaultdict(set)
    for name in MODULES.keys() - {"webapp"}:
        arrows[room(name)] |= {room(target) for target in imported(name)} - {room(name)}
    assert circle(arrows) == []


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for name in MODULES:
        for node in ast.walk(parsed(name)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_two_modules_have_one_name() -> None:
    places = defaultdict(list)
    for path in FILES:
        if path.stem != "__init__":
            places[path.stem].append(path.parent.name)
    twice = {stem: rooms for stem, rooms in places.items() if len(rooms) > 1 and not BY_SUBJECT.issuperset(rooms)}
    assert twice == {}


def test_tests_lie_where_their_room_is() -> None:
    folders = {path.name for path in (ROOT / "tests" / "webapp").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders == set(ROOMS)
