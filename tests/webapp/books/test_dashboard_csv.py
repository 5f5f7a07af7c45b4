"""flask books import: costs that OpenAI's dashboard exported, and every file that is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import operator  # noqa: F401  # a fixture
from openai_books import DAY

from webapp.books import dashboard_csv
from webapp.books.dashboard_csv import read_dashboard_csv
from webapp.books.values import BooksError

HEADER = ("start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,"
          "organization_id,organization_name")  # fmt: skip
START = 1791936000  # 2026-10-14
File = Callable[..., Path]


def row(amount: str = "0.18", item: str = '"gpt-4o-mini-2024-07-18, input"', **changes: Any) -> str:
    """One line of an export."""
    values = {"start": START, "currency": "usd", "project": "proj_a", "org": "org-1"} | changes
    start = int(values["start"]) if str(values["start"]).isdigit() else 0
    times = f"{values['start']},{start + 86400},2026-10-14T00:00:00,2026-10-15T00:00:00"
    return f"{times},{amount},{values['currency']},{item},{values['project']},{values['org']},Acme"


@pytest.fixture
def file(tmp_path: Path) -> File:
    """Writes an export with these lines, or with this content."""

    def write(*lines: str, content: bytes | None = None, header: str = HEADER) -> Path:
        path = tmp_path / "costs.csv"
        path.write_bytes("\n".join([header, *lines, ""]).encode() if content is None else content)
        return path

    return write


def test_an_export_becomes_days_and_lines_by_project(file: File) -> None:
    made = read_dashboard_csv(file(
        row("0.000004500000000000000000000000000000000"), row("0E-6176", "web search tool calls"),
        row("1.5", project=""), row("2", start=START + 2 * 86400, currency="USD"), row("", "", start=START + 86400),
    ))  # fmt: skip
    assert (made["source"], made["grain"]) == ("csv", "project")
    assert (made["from_day"], made["until_day"]) == ("2026-10-14", "2026-10-17")
    assert [day["day"] for day in made["days"]] == ["2026-10-14", "2026-10-15", "2026-10-16"]
    assert [(cost["openai_project_id"], cost["line_item"], cost["amount"]) for cost in made["costs"]] == [
        ("proj_a", "gpt-4o-mini-2024-07-18, input", "0.0000045"), ("proj_a", "web search tool calls", "0"),
        (None, "gpt-4o-mini-2024-07-18, input", "1.5"), ("proj_a", "gpt-4o-mini-2024-07-18, input", "2"),
    ]  # fmt: skip


def test_a_day_is_whole_if_it_had_ended_when_the_file_was_written(file: File) -> None:
    path = file(row(), row(start=START + 86400))
    os.utime(path, (START + 86400 + 3600,) * 2)
    assert [day["whole"] for day in read_dashboard_csv(path)["days"]] == [True, False]


def test_a_byte_order_mark_windows_lines_and_other_columns_are_fine(file: File) -> None:
    text = f"\ufeff{HEADER},new\r\n{row()},x\r\n\r\n"
    assert len(read_dashboard_csv(file(content=text.encode()))["costs"]) == 1


WRONG = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "only a header": (HEADER.encode(), "the file has no lines"),
    "UTF-16": (f"{HEADER}\n{row()}".encode("utf-16"), "line 1: the file is not UTF-8"),
    "Latin-1": (f"{HEADER}\n{row()}\n{row('1', 'caf' + chr(233))}".encode("latin-1"),
                "line 3: the file is not UTF-8"),
    "semicolons": (HEADER.replace(",", ";").encode(), "line 1: has no column start_time"),
    "usage": (b"start_time,end_time,input_tokens\n1,2,3\n", "line 1: has no column amount_value, amount_currency"),
    "a column twice": (f"{HEADER},line_item\n".encode(), "line 1: has a column twice"),
    "a line too short": (f"{HEADER}\n{row()}\n1,2\n".encode(), "line 3: 2 fields instead of 10"),
    "an open quote": (f'{HEADER}\n{row()}\n"x'.encode(), "this is not CSV"),
    "euros": (f"{HEADER}\n{row(currency='eur')}".encode(), "line 2: the currency is 'eur'"),
    "no currency": (f"{HEADER}\n{row(currency='')}".encode(), "line 2: the currency is ''"),
    "a word": (f"{HEADER}\n{row('a lot')}".encode(), "line 2: amount_value is no number"),
    "no amount": (f"{HEADER}\n{row('')}".encode(), "line 2: amount_value is no number"),
    "endless": (f"{HEADER}\n{row('1e99999')}".encode(), "line 2: amount_value is out of range"),
    "NaN": (f"{HEADER}\n{row('NaN')}".encode(), "line 2: amount_value is out of range"),
    "no midnight": (f"{HEADER}\n{row(start=START + 1)}".encode(), "line 2: start_time does not begin at midnight"),
    "a date": (f"{HEADER}\n{row(start='2026-10-14')}".encode(), "line 2: start_time is no moment"),
    "a duplicate": (f"{HEADER}\n{row()}\n{row('1', 'x')}\n{row('7')}".encode(),
                    "line 4: the same day, project and line item as line 2"),
    "two organizations": (f"{HEADER}\n{row()}\n{row('1', 'x', org='org-2')}".encode(),
                          "line 3: the file has lines of two"),
    "NUL": (f"{HEADER}\n{row('1', 'a' + chr(0))}".encode(), "line 2: line_item is text that cannot be stored"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_export_is_refused_by_its_line(file: File, wrong: str) -> None:
    content, words = WRONG[wrong]
    with pytest.raises(BooksError) as refused:
        read_dashboard_csv(file(content=content))
    assert words in str(refused.value)


def test_a_huge_file_is_not_even_read(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(row())
    monkeypatch.setattr(dashboard_csv, "LARGEST", 100)
    with pytest.raises(BooksError, match="larger than"):
        read_dashboard_csv(path)


def test_the_command_stores_the_days_and_a_wrong_file_leaves_them(operator, file: File) -> None:  # noqa: F811
    org = str(operator.people().orgs["ada"])
    done = operator.run("books", "import", str(file(row(), row("1", "x"))), "--org", org)
    assert done.exit_code == 0 and "1 day from 2026-10-14, 2 lines" in done.output
    wrong = operator.run("books", "import", str(file(row(), row("9"))), "--org", org)
    assert wrong.exit_code == 1 and "costs.csv: line 3: the same day" in wrong.output
    (day,) = operator.rows("select d.day, d.amount, d.org_id, f.grain from public.openai_days d"
                           " join public.openai_fetches f on f.id = d.fetch_id")  # fmt: skip
    assert (day["day"], str(day["amount"]), str(day["org_id"]), day["grain"]) == (DAY, "1.18", org, "project")
    several = operator.run("books", "import", str(file(row())))
    assert several.exit_code == 2 and "say with --org which organization" in several.output
    missing = operator.run("books", "import", "nowhere.csv")
    assert missing.exit_code == 2 and "nowhere.csv" in missing.output
