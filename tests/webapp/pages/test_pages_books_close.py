"""The page of a month: its close and reopen forms, and its files."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal as D
from types import SimpleNamespace
from uuid import UUID

import openpyxl
import psycopg
import pytest
from closes import DAYS, MILLION
from conftest import Site
from openai_books import call, fetch, linked_key, moment
from people import People
from psycopg.rows import dict_row
from seeded import Acme, text

from webapp.written import FIGURE_SPACE

PATH = "/books/months/2026-10"
LINES = [
    ("key_proxy", "gpt-4o-mini-2024-07-18, input", 1_000_000, "tokens", "0.15"),
    ("key_proxy", "file search tool calls", None, None, "0.005"),
    ("key_laptop", "gpt-4o-mini-2024-07-18, input", 2_000_000, "tokens", "0.30"),
]


@pytest.fixture
def team(site: Site) -> Acme:
    """Acme with all of October fetched."""
    return october(site, DAYS)


def october(site: Site, days: list[date]) -> Acme:
    """Acme with these days of October fetched once, and a call of the 14th of a key named like a formula."""
    acme = Acme(site)
    key = acme.ada.post(f"/projects/{acme.project['id']}/keys", {"name": "=cmd()"}).json
    with psycopg.connect(site.admin, row_factory=dict_row) as conn:
        people = People.__new__(People)  # the helpers of OpenAI's books need only these four
        people.conn, people.orgs = conn, {"ada": UUID(acme.ada.organization["id"])}
        people.projects, people.keys = {"ada": acme.project["id"]}, {"ada": SimpleNamespace(id=key["id"])}
        call(people, linked_key(people), moment("09:00:00"), "gpt-4o-mini-2024-07-18", MILLION)
        fetch(people, {day: LINES if day.day == 14 else [] for day in days})
    return acme


def test_an_admin_closes_and_reopens_a_month_and_others_only_read(team: Acme) -> None:
    page = text(team.browser.get(PATH))
    assert "Oct 2026: provisional" in page and "31 days were fetched only once" in page
    sums = "OpenAI's bill $0.455 Ledger $0.15 another key $0.30 Unexplained $0.005 no quantity $0.005"
    assert sums in page and "not in the ledger's sum" not in page and "of the whole month" not in page
    assert page.count("Total $0.15 1 1,000 500") == 4, "by project, key, model and person"
    assert team.browser.post(f"{PATH}/close", shown=PATH, note="", confirm="yes").status_code == 400
    assert team.browser.post(f"{PATH}/close", shown=PATH, note="x", invoice="a lot", confirm="yes").status_code == 400
    assert team.browser.post(f"{PATH}/close", shown=PATH, note="typed").status_code == 409
    done = team.browser.post(f"{PATH}/close", shown=PATH, note="asked OpenAI", invoice="0.16", confirm="yes")
    assert done.status_code == 303
    assert "Oct 2026 is closed." in text(team.browser.get(PATH))
    page = text(team.devs.get(PATH))
    assert "Oct 2026: closed" in page and "asked OpenAI" in page and team.ada.email in page and "$0.16" in page
    assert "Reopen" not in page
    again = team.browser.post(f"{PATH}/close", shown=PATH, note="typed")
    assert again.status_code == 409 and "The month is closed already. Reopen it first. " in text(again)
    assert team.devs.post(f"{PATH}/reopen", shown="/profile", note="x").status_code == 403
    theirs = text(team.eves.get(PATH))
    assert "Oct 2026: open" in theirs and "OpenAI's bill – Ledger – Unexplained –" in theirs
    assert team.browser.post(f"{PATH}/reopen", shown=PATH, note="credit note").status_code == 303
    assert "Oct 2026: provisional" in text(team.browser.get(PATH))


def test_the_form_waits_until_the_month_can_be_closed(site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    for day, closable in ((2, False), (3, True)):
        monkeypatch.setitem(site.app.jinja_env.globals, "now", lambda day=day: datetime(2026, 11, day, 12, tzinfo=UTC))
        page = team.browser.get(PATH).text
        assert ("Close Oct 2026</button>" in page) == closable
        assert ("from 3 Nov 2026 on, when OpenAI's numbers of its last day are 3 days old" in page) != closable


def test_each_reason_stands_there_as_frozen_and_as_it_is_now(site: Site, team: Acme) -> None:
    team.browser.post(f"{PATH}/close", shown=PATH, note="asked OpenAI", confirm="yes")
    with psycopg.connect(site.admin, row_factory=dict_row) as conn:
        people = People.__new__(People)
        people.conn, people.orgs = conn, {"ada": UUID(team.ada.organization["id"])}
        evals = (None, "evals | o3, output", 10, "tokens", "0.02")
        fetch(people, {DAYS[13]: [*LINES[:1], ("key_laptop", *LINES[2][1:4], "0.31"), evals]})
    page = text(team.browser.get(PATH))
    assert "Since the close OpenAI's bill changed by $0.025" in page
    assert "another key $0.30 $0.31 no key – $0.02 Unexplained $0.005 $0.00 no quantity $0.005 –" in page


def test_one_long_amount_leaves_the_others_as_short_as_the_ledger_has_them(site: Site, team: Acme) -> None:
    with psycopg.connect(site.admin, row_factory=dict_row) as conn:
        people = People.__new__(People)
        people.conn, people.orgs = conn, {"ada": UUID(team.ada.organization["id"])}
        fetch(people, {DAYS[3]: [(None, "evals | o3, output", None, None, "0.000000000000000000000000000001")]})
    page = team.browser.get(PATH).text
    assert "$0.455000000000000000000000000001<" in page
    assert f"$0.30{FIGURE_SPACE * 10}<" in page and FIGURE_SPACE * 11 not in page


def test_the_excel_file_has_typed_cells_and_says_what_it_is(team: Acme) -> None:
    answer = team.browser.get(f"{PATH}.xlsx")
    assert "openai-books-2026-10.xlsx" in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["About", "Project", "Key", "Model", "Tag", "Person"]
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert (about["Month"], about["Time zone of days and months"], about["Sandbox"]) == ("Oct 2026", "UTC", "no")
    assert about["Unknown: calls without a price, not in these sums"] == 0
    sheet = book["Key"]
    assert sheet.freeze_panes == "A2"
    header = [made.value for made in sheet[1]]
    cells = dict(zip(header, sheet[2], strict=True))
    assert (cells["Cost"].value, cells["Cost"].data_type, cells["Calls"].value) == (0.15, "n", 1)
    assert "0.00" in cells["Cost"].number_format
    assert all(made.data_type != "f" for row in sheet.iter_rows() for made in row)
    assert "=cmd()" in cells["Key"].value


def test_a_month_that_lacks_days_says_which_sums_are_of_all_its_days(site: Site) -> None:
    acme = october(site, DAYS[:5])
    words = (
        "sums of the days that OpenAI's books have. Spend by project, key, model, tag and person is of the whole month."
    )
    page = text(acme.browser.get(PATH))
    assert "Ledger $0.00" in page and page.count("Total $0.15") == 4 and words in page
    book = openpyxl.load_workbook(io.BytesIO(acme.browser.get(f"{PATH}.xlsx").data))
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert about["Ledger, US dollars"] == 0 and words in about["Days"]
    assert words not in text(acme.eves.get(PATH)), "nothing was spent"


@pytest.mark.parametrize("by", ["project", "key", "model", "tag", "person"])
def test_each_breakdown_is_a_csv_file(team: Acme, by: str) -> None:
    rows = list(csv.DictReader(io.StringIO(team.browser.get(f"{PATH}/{by}.csv").text)))
    assert [row["cost"] for row in rows] == ([] if by == "tag" else ["0.15"])


def test_the_focus_file_of_the_page_adds_up(team: Acme) -> None:
    rows = list(csv.DictReader(io.StringIO(team.browser.get(f"{PATH}/focus.csv").text)))
    assert sum(D(row["BilledCost"]) for row in rows) == D("0.15")
    assert {row["ProviderName"] for row in rows} == {"OpenAI"}
    assert team.browser.get(f"{PATH}/focus.parquet").data[:4] == b"PAR1"


@pytest.mark.parametrize("path", ["/books/months/2026-13", f"{PATH}/nothing.csv", f"{PATH}/focus.xml"])
def test_what_does_not_exist_is_not_found(team: Acme, path: str) -> None:
    assert team.browser.get(path).status_code == 404
