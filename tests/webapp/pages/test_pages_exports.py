"""Files of tables: CSV and Excel made from the same rows, for spreadsheets of any country, and whose money it is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from conftest import Browser, Site
from openpyxl.workbook import Workbook
from seeded import Acme, spend, table
from werkzeug.test import TestResponse

from webapp.pages import sheets

TABLES = ("/spend", "/spend?by=key", "/calls", "/calls?sort=cost", "/projects", "/keys", "/prices", "/team",
          "/sessions", "/audit", "/books", "/books/dark-spend", "/books/months/2026-10/project")  # fmt: skip
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # as browsers send it for a link


@pytest.fixture(scope="module")
def team(site: Site) -> Acme:
    """Acme with three calls: one costs $0.00045, one is of a hostile end user, one has no price."""
    team = Acme(site)
    spend(site, team, tags={"team": "web"}, end_user='=HYPERLINK("http://evil.test")')
    spend(site, team, model="gpt-4o", usage={"prompt_tokens": 5, "completion_tokens": 0}, end_user="+1;=2\x0b\ufffe<b>")
    spend(site, team, model="nobody-knows-it", model_requested="nobody-knows-it")
    return team


def address(path: str, kind: str) -> str:
    """/spend?by=key → /spend.xlsx?by=key."""
    page, question, words = path.partition("?")
    return f"{page}.{kind}{question}{words}"


def workbook(answer: TestResponse) -> Workbook:
    assert answer.status_code == 200 and answer.mimetype == sheets.XLSX
    return openpyxl.load_workbook(io.BytesIO(answer.data))


def about(book: Workbook) -> dict[str, Any]:
    return {row[0].value: row[1].value for row in book["About"].iter_rows()}


def rows(book: Workbook) -> list[dict[str, Any]]:
    """Rows of the first sheet, by the names of the columns of the CSV."""
    header, *values = book.worksheets[0].iter_rows(values_only=True)
    names = [str(word).lower().replace(" ", "_") for word in header]
    return [dict(zip(names, row, strict=False)) for row in values]


def test_every_table_is_there_as_csv_and_as_excel_with_the_same_rows(team: Acme) -> None:
    nobody = team.site.browser()
    for path in TABLES:
        exported, book = team.browser.get(address(path, "csv")), workbook(team.browser.get(address(path, "xlsx")))
        lines, cells = table(exported), rows(book)
        assert len(lines) == len(cells), path
        assert {row["books"] for row in lines} <= {"sandbox"} and "books" in exported.text.splitlines()[0], path
        assert (about(book)["Organization"], about(book)["Sandbox"][:3]) == ("Acme", "yes"), path
        assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row), path
        assert book.worksheets[0].freeze_panes == "A2" and book.worksheets[0]["A1"].font.b, path
        for line, row in zip(lines, cells, strict=True):
            for name, value in row.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    assert Decimal(line[name]) == Decimal(str(value)), (path, name)
        if path != "/audit":
            assert team.devs.get(address(path, "csv")).text == exported.text, path
        assert nobody.get(address(path, "xlsx")).status_code == 302, path
    assert team.devs.get("/audit.xlsx").status_code == 403


def test_a_report_of_more_rows_than_memory_should_hold_is_refused_and_never_cut_off(team: Acme, monkeypatch) -> None:
    found = table(team.browser.get("/spend.csv?by=model&and=key"))
    monkeypatch.setattr("webapp.pause.MOST_ROWS", len(found) - 1)
    refused = team.browser.get("/spend.csv?by=model&and=key")
    assert len(found) > 1 and refused.status_code == 400 and "shorter period" in refused.text


def test_every_address_of_a_csv_has_a_sibling_for_excel(site: Site) -> None:
    rules = {rule.rule for rule in site.app.url_map.iter_rules()}
    files = {rule for rule in rules if rule.endswith(".csv")}
    assert len(files) > 10 and {rule.replace(".csv", ".xlsx") for rule in files} <= rules


def test_a_workbook_has_typed_cells(team: Acme) -> None:
    book = workbook(team.browser.get("/calls.xlsx?sort=cost"))
    header = {cell.value: cell.column for cell in book["Calls"][1]}
    first = {name: book["Calls"].cell(2, column) for name, column in header.items()}
    assert (first["Cost"].value, first["Cost"].data_type) == (0.00045, "n") and "0.00##" in first["Cost"].number_format
    assert (first["Tokens in"].value, first["Tokens in"].number_format) == (1000, "#,##0")
    assert isinstance(first["Started at"].value, datetime) and first["Stream"].value is False
    assert first["End user"].value == '\'=HYPERLINK("http://evil.test")'
    assert rows(book)[1]["end_user"] == "'+1;'=2<b>"
    assert rows(book)[2]["cost"] is None, "what is not known is empty, never 0"
    day = workbook(team.browser.get("/spend.xlsx"))["Spend"]["A2"]
    assert day.is_date and day.number_format == "yyyy-mm-dd"


def test_the_sheet_about_says_what_the_file_is_and_what_is_not_known(team: Acme) -> None:
    for path in ("/spend.xlsx", "/calls.xlsx"):
        says = about(workbook(team.browser.get(f"{path}?period=7&model=gpt-4o&model=nobody-knows-it")))
        assert says["Period"] and says["Time zone of days and months"] == "UTC"
        assert says["Only model"] == "nobody-knows-it"  # the last of two lines of this name
        assert (says["Calls"], says["Cost, US dollars"]) == (2, 0.0000125)
        assert says["Unknown: calls without a price, not in these sums"] == 1
        assert abs((datetime.now(UTC).replace(tzinfo=None) - says["As of"]).total_seconds()) < 600


def test_the_sheet_about_names_the_search_and_filters_that_chose_the_rows(team: Acme) -> None:
    mine, me = f"state=active&project={team.project['id']}&used=no", team.ada.user["email"]
    keys = about(workbook(team.browser.get(f"/keys.xlsx?q=MaiN&{mine}&person={team.ada.user['id']}")))
    chosen = {name: words for name, words in keys.items() if name.startswith("Only")}
    assert chosen == {
        "Only what a search finds": "MaiN", "Only project": team.project["name"], "Only state": "Active",
        "Only person": me, "Only use": "Without a call in this period",
    }  # fmt: skip
    sessions = about(workbook(team.browser.get(f"/sessions.xlsx?state=lost&key={team.key['id']}")))
    assert sessions["Only state"] == "Lost" and sessions["Only key"]
    for path in ("/end-users.xlsx?q=u1", "/tags.xlsx?q=u1", "/tags.xlsx?tag_name=team&q=u1", "/prices.xlsx?q=u1"):
        says = about(workbook(team.browser.get(path)))
        assert says["Only what a search finds"] == "u1", path
        assert says.get("Values of the tag") == ("team" if "tag_name" in path else None)
    assert not any(name.startswith("Only") for name in about(workbook(team.browser.get("/tags.xlsx"))))


def test_a_period_without_calls_is_an_empty_table(team: Acme) -> None:
    for path in ("/spend", "/calls"):
        assert table(team.browser.get(f"{path}.csv?from=2020-01-01&to=2020-02-01")) == []
        book = workbook(team.browser.get(f"{path}.xlsx?from=2020-01-01&to=2020-02-01"))
        assert rows(book) == [] and about(book)["Calls"] == 0


def test_spend_by_month_has_totals_and_what_is_not_known(site: Site, team: Acme) -> None:
    other = Acme(site)
    for text in ("2026-08-31T23:45:00+00:00", "2026-09-30T22:45:00+00:00", "2026-10-31T23:45:00+00:00"):
        at = datetime.fromisoformat(text)
        spend(site, other, at=at, tags={"team": "web", "env": "live"} if text < "2026-10" else {})
        spend(site, other, at=at, model="gpt-4o", usage={"prompt_tokens": 5, "completion_tokens": 0})
    spend(site, other, at=at, model="nobody-knows-it", model_requested="nobody-knows-it")
    address = "/spend.csv?from=2026-08-01&to=2026-10-31&grain=month"
    found = [(row["month"], row["project"], row["calls"], row["cost"], row["unpriced_calls"])
             for row in table(other.browser.get(address))]  # fmt: skip
    assert found == [
        ("2026-08-01", "chat", "2", "0.0004625", "0"), ("2026-09-01", "chat", "2", "0.0004625", "0"),
        ("2026-10-01", "chat", "3", "0.0004625", "1"), ("total", "", "7", "0.0013875", "1"),
    ]  # fmt: skip
    book = workbook(other.browser.get(address.replace("csv", "xlsx")))
    assert [row[0].value for row in book["Spend"].iter_rows(min_row=2)][-1] == "total"
    assert book["Spend"]["A2"].is_date

    berlin = table(other.browser.get(address + "&by=model&tz=Europe/Berlin&model=gpt-4o"))
    assert [row["month"] for row in berlin] == ["2026-09-01", "2026-10-01", "total"], (
        "the last call is in November there"
    )
    assert (
        name_of(other.browser, address + "&tz=Europe/Berlin")
        == "acme-spend-2026-08-01-2026-10-31-europe-berlin-sandbox.csv"
    )
    hours = table(other.browser.get("/spend.csv?from=2026-10-01&to=2026-10-01&grain=hour&tz=Asia/Kolkata&by=model"))
    assert {row["hour"] for row in hours} == {"2026-10-01T04:00:00+05:30", "total"}

    two = table(other.browser.get(address + "&by=project&and=model"))
    assert [(row["project"], row["model"]) for row in two][-4:] == [
        ("chat", "gpt-4o-mini"), ("chat", "gpt-4o"), ("chat", "nobody-knows-it"), ("", "")]  # fmt: skip
    values = table(other.browser.get(address + "&by=tag&tag_name=team"))
    assert [(row["month"][:7], row["tag"], row["calls"]) for row in values] == [
        ("2026-08", "web", "1"), ("2026-08", "", "1"), ("2026-09", "web", "1"), ("2026-09", "", "1"),
        ("2026-10", "", "3"), ("total", "", "7"),
    ]  # fmt: skip
    *kinds, total = table(other.browser.get(address + "&by=kind"))
    known = [Decimal(row["cost"]) for row in kinds if row["kind"] != "unknown"]
    assert total["month"] == "total" and total["cost"] == "0.0013875" == str(sum(known))
    (unknown,) = (row for row in kinds if row["kind"] == "unknown")
    assert (unknown["month"], unknown["cost"], unknown["unpriced_calls"], total["unpriced_calls"]) == (
        "2026-10-01", "", "1", "1",
    )  # fmt: skip
    assert {row["month"] for row in kinds} == {"2026-08-01", "2026-09-01", "2026-10-01"}
    assert other.browser.get("/spend.csv?by=weather").status_code == 400
    assert other.browser.get("/spend.csv?and=weather").status_code == 400


def name_of(browser: Browser, path: str) -> str:
    return browser.get(path).headers["Content-Disposition"].partition("filename=")[2].strip('"')


def test_the_name_of_a_file_says_whose_it_is_and_that_its_money_is_play_money(site: Site, team: Acme) -> None:
    assert (
        name_of(team.browser, "/calls.csv?from=2026-10-01&to=2026-10-01T12:00:00Z")
        == "acme-calls-2026-10-01-2026-10-01-sandbox.csv"
    )
    october = "from=2026-10-01&to=2026-10-31"
    for path in ("spend", "projects", "keys", "end-users", "tags"):
        name = name_of(team.browser, f"/{path}.csv?{october}")
        assert name == f"acme-{path}-2026-10-01-2026-10-31-sandbox.csv"
    assert about(workbook(team.browser.get(f"/keys.xlsx?{october}")))["Period"] == "1–31 Oct 2026"
    assert name_of(team.browser, "/team.xlsx") == "acme-team-sandbox.xlsx"
    other = Acme(site)
    org = other.ada.organization["id"]
    site.sql(
        "update public.organizations set books = 'openai', name = %s where id = %s", 'Müller & "Söhne"\r\n; x', org
    )
    assert (
        name_of(other.browser, "/team.csv")
        == "muller-sohne-x-team.csv\"; filename*=UTF-8''m%C3%BCller-s%C3%B6hne-x-team.csv"
    )
    assert {row["books"] for row in table(other.browser.get("/team.csv"))} == {"live"}
    assert about(workbook(other.browser.get("/team.xlsx")))["Sandbox"] == "no"


def test_a_browser_gets_a_mark_by_which_excel_knows_utf_8_and_a_script_does_not(team: Acme) -> None:
    mark = "\ufeff".encode()
    assert team.browser.get("/spend.csv", headers=PAGE).data.startswith(mark)
    assert not team.browser.get("/spend.csv", headers=PAGE, query_string={"bom": "0"}).data.startswith(mark)
    assert not team.browser.get("/spend.csv").data.startswith(mark)
    assert team.browser.get("/spend.csv?bom=1").data.startswith(mark)


def test_semicolons_and_decimal_commas_for_spreadsheets_that_expect_them(team: Acme) -> None:
    header, *lines = team.browser.get("/spend.csv?by=model&format=semicolon").text.splitlines()
    assert header.startswith("day;model;calls;")
    assert sorted(line.split(";")[6] for line in lines) == ["0", "0,0000125", "0,00045"]
    answer = team.browser.get("/spend.csv?format=tabs")
    assert answer.status_code == 400 and "There is no kind of file “tabs”." in answer.text


def test_calls_are_exported_in_the_order_of_the_list(team: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.pages.export.PAGE_ROWS", 2)
    monkeypatch.setattr("webapp.pages.calls_export.RANKED_ROWS", 2)
    costs = [row["cost"] for row in table(team.browser.get("/calls.csv?sort=cost"))]
    assert costs == ["0.00045", "0.0000125", ""]
    by_age = [row["started_at"] for row in table(team.browser.get("/calls.csv?sort=-started_at"))]
    assert by_age == [row["started_at"] for row in table(team.browser.get("/calls.csv"))][::-1] and len(by_age) == 3


def read(parts: Iterator[bytes]) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(b"".join(parts)))


def one_sheet(values: list[Any], **words: Any) -> Workbook:
    sheet = sheets.Sheet("Table", [f"column {n}" for n in range(len(values))], [values], **words)
    return read(sheets.write([sheet], ZoneInfo("UTC")))


def test_no_digit_of_an_amount_is_lost() -> None:
    long, short = Decimal("1234567.123456789012"), Decimal("-0.000450000000")
    book = one_sheet([long, short, Decimal("1E+3"), long], money=frozenset({0, 1, 2}))
    header, row = book["Table"].iter_rows(values_only=True)
    assert row == (float(long), -0.00045, 1000, str(long), f"column 0: {long}") and header[4] == "Exact amounts"


def test_moments_are_those_of_the_zone_and_long_texts_are_cut_to_what_a_cell_holds() -> None:
    at = datetime(2026, 10, 25, 1, 30, 15, tzinfo=UTC)
    sheet = sheets.Sheet("Table", "abcd", [[at, date(2026, 10, 25), "x" * 40_000, "\ud800"]])
    moment, day, text, nothing = [
        cell.value for cell in read(sheets.write([sheet], ZoneInfo("Asia/Kolkata")))["Table"][2]
    ]
    assert (moment, day.date()) == (datetime(2026, 10, 25, 7, 0, 15), date(2026, 10, 25))
    assert len(text) == 32_767 and text.endswith("…") and not nothing


def test_a_long_table_goes_on_in_the_next_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 251)
    book = read(sheets.write([sheets.Sheet("Table", ["n"], ([n] for n in range(501)))], ZoneInfo("UTC")))
    assert book.sheetnames == ["Table", "Table 2", "Table 3"]
    assert [cell.value for sheet in book for (cell,) in sheet.iter_rows(min_row=2)] == list(range(501))


def test_a_workbook_is_sent_while_its_rows_are_read() -> None:
    """Memory does not grow with the table: only parts of it are ever held."""
    taken = 0

    def numbers() -> Iterator[list[Any]]:
        nonlocal taken
        for taken in range(60_000):
            yield [Decimal(taken * 7919 % 100_003), f"{taken * 104_729 % 1_000_003}", taken]

    parts = sheets.write([sheets.Sheet("Table", ["a", "b", "c"], numbers())], ZoneInfo("UTC"))
    first = next(parts)
    assert taken < 20_000
    sizes = [len(first), *(len(part) for part in parts)]
    assert taken == 59_999 and max(sizes) < 4 * sheets.CHUNK_BYTES and len(sizes) > 3


def test_every_part_of_the_archive_is_sound(team: Acme) -> None:
    with zipfile.ZipFile(io.BytesIO(team.browser.get("/spend.xlsx").data)) as archive:
        assert archive.testzip() is None and len(set(archive.namelist())) == len(archive.namelist())


def test_a_slash_after_the_name_of_a_file_does_not_change_its_kind(team: Acme) -> None:
    assert rows(workbook(team.browser.get("/team.xlsx/"))) == rows(workbook(team.browser.get("/team.xlsx")))
