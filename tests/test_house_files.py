"""The rules of the house about files: what belongs together, what each must say, how long it may be."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from webapp.config import ROOT, SETTINGS

FUNCTIONS = sorted((ROOT / "db/functions").glob("*.sql"))
GUARDS = sorted((ROOT / "db/guards").glob("*.sql"))
SQL = sorted((ROOT / "db").rglob("*.sql"))
MODULES = [*sorted((ROOT / "webapp").rglob("*.py")), ROOT / "wsgi.py", ROOT / "gunicorn.conf.py"]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
ERRORS = (ROOT / "docs/errors.md").read_text()
CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_a_function_file_defines_what_its_name_says_and_has_a_test(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^create (?:or replace )?function (\S+?)\(", text, re.M) == [f"app.{path.stem}"]
    assert re.search(rf"^comment on function app\.{path.stem}\b", text, re.M)
    revoke = rf"^revoke execute on function app\.{path.stem} from public, anon, authenticated, service_role;$"
    assert re.search(revoke, text, re.M)
    assert re.search(rf"^grant execute on function app\.{path.stem} to |^-- No grant: ", text, re.M), "who may run it?"
    assert (ROOT / f"tests/functions/test_{path.stem}.py").exists()


def test_a_function_without_grant_names_the_functions_that_run_it() -> None:
    texts = {path.stem: path.read_text() for path in FUNCTIONS}
    runs = {stem: set(re.findall(r"\bapp\.(\w+)", re.sub("--.*", "", text))) for stem, text in texts.items()}
    for path in FUNCTIONS:
        said = re.search(r"^-- No grant:.*\bpart of (.*)$", texts[path.stem], re.M)
        named = set(re.findall(r"\w+", said[1])) & texts.keys() if said else set()
        callers = {other for other in texts.keys() - {path.stem} if path.stem in runs[other]}
        assert not named or named == callers, name(path)


@pytest.mark.parametrize("path", GUARDS, ids=name)
def test_a_guard_file_defines_the_trigger_function_of_its_name_and_has_a_test(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^create (?:or replace )?function (\S+?)\(", text, re.M) == [f"private.{path.stem}"]
    assert re.search(rf"^comment on function private\.{path.stem}\b", text, re.M)
    revoke = rf"^revoke execute on function private\.{path.stem} from public, anon, authenticated, service_role;$"
    assert re.search(revoke, text, re.M)
    assert (ROOT / f"tests/guards/test_{path.stem}.py").exists()


def test_every_function_guard_view_and_policy_in_the_database_has_its_file(db: psycopg.Connection) -> None:
    functions = db.execute("select proname as name from pg_proc where pronamespace = 'app'::regnamespace").fetchall()
    assert {row["name"] for row in functions} == {path.stem for path in FUNCTIONS}
    guards = db.execute("select proname as name from pg_proc where pronamespace = 'private'::regnamespace").fetchall()
    assert {row["name"] for row in guards} == {path.stem for path in GUARDS}
    views = db.execute("select viewname as name from pg_views where schemaname = 'public'").fetchall()
    assert {row["name"] for row in views} == {path.stem for path in (ROOT / "db/views").glob("*.sql")}
    tables = db.execute("select tablename as name from pg_tables where schemaname = 'public'").fetchall()
    assert {row["name"] for row in tables} == {path.stem for path in (ROOT / "db/policies").glob("*.sql")}


@pytest.mark.parametrize("kind", ["views", "policies"])
def test_every_view_and_policy_has_its_test(kind: str) -> None:
    missing = [
        p.stem for p in (ROOT / "db" / kind).glob("*.sql") if not (ROOT / f"tests/{kind}/test_{p.stem}.py").exists()
    ]
    assert missing == []


def test_every_test_of_sql_tests_something_that_exists() -> None:
    for kind in ("functions", "guards", "views", "policies"):
        known = {path.stem for path in (ROOT / "db" / kind).glob("*.sql")}
        for path in (ROOT / "tests" / kind).glob("test_*.py"):
            assert any(path.stem.removeprefix("test_").startswith(stem) for stem in known), name(path)


@pytest.mark.parametrize("path", SQL, ids=name)
def test_an_sql_file_is_short_lower_case_and_says_what_it_is(path: Path) -> None:
    lines = path.read_text().splitlines()
    subject = re.sub(r"^\d+_", "", path.stem)
    assert (lines[0].startswith("-- ") and subject in lines[0].lower().replace(" ", "_")) or path.parent.name == "db"
    assert len(lines) <= (160 if path.parent.name in ("db", "migrations") else 120)
    shouted = re.search(
        r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|GRANT|REVOKE|WHERE|FROM)\b", path.read_text(), re.M
    )
    assert shouted is None


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_annotated_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    if not text.strip():
        return
    assert ast.get_docstring(tree), "the first line says what the module is"
    assert len(text.splitlines()) <= 250
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 80, f"{node.name} is long"
            assert node.returns is not None, f"{node.name} is not annotated"
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
            assert not node.exc.id.isupper(), f"{node.exc.id} would keep every frame through which it is raised"


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_a_test_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_no_test_depends_on_there_being_no_running_event_loop() -> None:
    ran = {name(path) for path in TESTS if re.search(r"asyncio\.(run|Runner)\b", path.read_text())}
    assert ran - {name(Path(__file__).resolve())} == {"tests/aside.py"}  # see there why


def test_no_style_looks_through_the_whole_page() -> None:
    """With body:has(…) a browser styles every element again at each step in which a chart is drawn: seconds."""
    style = (ROOT / "webapp/static/app.css").read_text()
    assert re.findall(r"(?:html|body|main|:root):has", style) == []


def test_no_two_test_files_share_a_name() -> None:
    names = [path.name for path in TESTS if path.name not in ("conftest.py", "__init__.py")]
    assert sorted(names) == sorted(set(names))


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode()
    files = [ROOT / path for path in listed.split("\0") if path]
    assert files or not (ROOT / ".git").exists()
    places = re.compile(rb"(?<![\w.{}$-])/(work|home|root|Users|workspace)/\w|[/\\]tmp[/\\]\w")
    # Tests may use made-up network addresses; shipped files may not.
    found = [
        name(p) for p in files if p.is_file() and p.suffix not in (".js", ".png") and places.search(p.read_bytes())
    ]
    assert found == []


def test_settings_are_the_same_in_code_example_and_documentation() -> None:
    example = re.findall(r"^# (.+)\n#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    assert [(setting, default, text) for text, setting, default in example] == [
        (s.name, s.default, s.help) for s in SETTINGS
    ]
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\| (.+) \|$", (ROOT / "docs/configuration.md").read_text(), re.M
    )
    assert rows == [(s.name, s.default, s.help) for s in SETTINGS]


def raised_in_sql() -> Iterator[tuple[int, str]]:
    for path in SQL:
        for state, rest in re.findall(r"raise sqlstate '([^']+)'(.*?);", path.read_text(), re.S):
            assert re.fullmatch(r"PT4\d\d", state), f"{name(path)}: {state}"
            (code,) = re.findall(r"detail = '([^']*)'", rest) or ["none: an error needs a code"]
            assert CODE.fullmatch(code), f"{name(path)}: {code}"
            yield int(state[2:]), code


def raised_in_python() -> Iterator[tuple[int, str]]:
    """Every (status, code) that stands side by side in a call or a tuple."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
            values = [part.value for part in parts[:2] if isinstance(part, ast.Constant)]
            match values:
                case [int(status), str(code)] if 400 <= status < 600 and CODE.fullmatch(code):
                    yield status, code


def documented() -> set[tuple[int, str]]:
    rows = re.findall(r"^\| (\d{3}) \| (`.+?`) \|", ERRORS, re.M)
    return {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}


def test_every_error_is_documented_and_every_documented_one_exists() -> None:
    assert {*raised_in_sql(), *raised_in_python()} == documented()


def test_every_sqlstate_that_is_raised_is_documented() -> None:
    raised = {state for path in SQL for state in re.findall(r"raise sqlstate '([^']+)'", path.read_text())}
    assert raised and {state for state in raised if f"`{state}`" not in ERRORS} == set()
