"""The pages of OpenAI's books: months, days, lines, what went past SpendAI, links and names of lines; and the API."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from html import unescape
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import openpyxl
import psycopg
import pytest
from conftest import Site
from openai_books import DAY, Line, call, fetch, linked_key, moment, worked_day
from openai_keys import keys_of_openai, provider_key
from psycopg.rows import dict_row
from seeded import Acme, table, text

from webapp.pages.reasons import REASONS

TOMORROW = DAY + timedelta(days=1)


class Books:
    """What tests/openai_books.py writes for, in the database of the site: Ada's organization."""

    def __init__(self, conn: psycopg.Connection, team: Acme) -> None:
        self.conn, self.team = conn, team
        self.orgs = {"ada": UUID(str(team.ada.organization["id"]))}
        self.projects = {"ada": UUID(str(team.project["id"]))}
        self.keys = {"ada": SimpleNamespace(id=UUID(str(team.key["id"])))}

    def one(self, query: str, *args: Any) -> dict[str, Any] | None:
        return self.conn.execute(query, args).fetchone()

    def all(self, query: str, *args: Any) -> list[dict[str, Any]]:
        return self.conn.execute(query, args).fetchall()

    def fetch(self, lines: list[Line], day: Any = DAY) -> UUID:
        return fetch(self, {day: lines})


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


@pytest.fixture
def books(site: Site, team: Acme) -> Iterator[Books]:
    with psycopg.connect(site.dsn, autocommit=True, row_factory=dict_row) as conn:
        yield Books(conn, team)


@pytest.fixture
def worked(books: Books) -> dict[str, UUID]:
    """The worked day, with names of OpenAI's keys."""
    keys_of_openai(books, key_proxy="xyzA", key_laptop="tooP")
    return worked_day(books)


def test_without_an_admin_key_the_page_says_what_to_do_next(team: Acme) -> None:
    for page in ("/books", "/books/dark-spend"):
        admins = team.browser.get(page)
        assert 'href="/settings#admin-key-title"' in admins.text and "flask books import FILE.csv" in text(admins)
        assert "An admin of Acme stores it in Settings." in text(team.devs.get(page))
    assert "SpendAI holds no OpenAI key of Acme" in text(team.browser.get("/books/links"))


def test_with_an_admin_key_and_no_fetch_it_has_a_button(team: Acme, books: Books) -> None:
    org = books.orgs["ada"]
    books.conn.execute("insert into private.admin_keys (org_id, ciphertext, last4) values (%s, 'x', 'wxyz')", [org])
    assert 'action="/books/fetch"' in team.browser.get("/books").text
    assert 'action="/books/fetch"' not in team.devs.get("/books").text
    books.conn.execute(
        "insert into public.openai_fetches (org_id, source, from_day, until_day, error) values (%s, 'api', %s, %s, %s)",
        [org, DAY, TOMORROW, "OpenAI answered 500"],
    )
    assert "failed: OpenAI answered 500" in text(team.devs.get("/books"))


def test_a_month_at_a_glance_adds_up_and_leads_to_its_days(team: Acme, worked: dict[str, UUID]) -> None:
    page = team.devs.get("/books?month=2026-10")
    shown = text(page)
    for words in ("$2.42 Ledger", "free tokens", "another quantity", "2 days", "14 Oct 2026", "open"):
        assert words in shown
    assert 'href="/books/2026-10-14"' in page.text and "$0.1156556" in page.text  # both days
    assert team.devs.get("/books").text.count("Oct 2026") >= 3  # the newest month with books
    empty = text(team.devs.get("/books?month=2020-01"))
    assert "OpenAI, Jan 2020 – Ledger, Jan 2020 –" in empty
    assert "flask books fetch --from 2020-01-01 --to 2020-02-01" in empty  # without an end it would be years


def test_a_day_shows_each_line_with_both_sides_and_its_parts(team: Acme, worked: dict[str, UUID]) -> None:
    page = team.devs.get("/books/2026-10-14")
    shown = text(page)
    assert "gpt-4o-mini, output $0.0648 108,000 $0.0618 103,000 calls in doubt 8,000" in shown
    assert "All lines $2.4213 $2.3074444 $0.1138556" in shown
    for words in ("a rate of your own 50,000 × 0.9", "evals | gpt-4o-mini-2024-07-18, input", "laptop · proj_a"):
        assert words in shown
    assert "more may come" not in shown


def test_each_part_leads_to_the_calls_or_lines_behind_it(team: Acme, worked: dict[str, UUID]) -> None:
    page = unescape(team.devs.get("/books/2026-10-14").text)
    assert f'href="/calls/{worked["doubt"]}"' in page
    calls = re.findall(r'href="(/calls\?[^"]+)"', page)
    assert "/calls?from=2026-10-14&to=2026-10-14&tz=UTC&model=gpt-4.1-2025-04-14" in calls
    assert "/calls?from=2026-10-13T22:00:00Z&to=2026-10-15T00:00:00Z&model=gpt-4o-mini-2024-07-18" in calls
    for address in set(calls):
        assert team.devs.get(address).status_code == 200
    assert str(worked["late"]) in team.devs.get(next(c for c in calls if "T22" in c)).text
    places = set(re.findall(r'href="#(bill-\d+)"', page))
    assert len(places) == 11 and all(f'id="{place}"' in page for place in places)
    laptop = re.search(r'id="(bill-\d+)"><th[^>]*>gpt-5.4-2026-03-05, output</th>', page)[1]
    assert laptop in places


def test_a_restated_and_a_partial_day_are_marked_and_every_fetch_is_told(team: Acme, books: Books) -> None:
    books.fetch([("key_a", "gpt-4o, output", 1, "tokens", "1")])
    books.fetch([("key_a", "gpt-4o, output", 1, "tokens", "1.25")])
    books.conn.execute("alter table public.openai_days disable trigger append_only")
    books.conn.execute("update public.openai_days set whole = false where org_id = %s", [books.orgs["ada"]])
    books.conn.execute("alter table public.openai_days enable trigger append_only")
    month, day = text(team.devs.get("/books")), text(team.devs.get("/books/2026-10-14"))
    assert "14 Oct 2026 partial fetched 2×" in month and "more may come" in day
    assert "OpenAI 1 $1.25 $0.25" in day and "OpenAI 1 $1.00 –" in day


def test_what_went_past_us_has_names_owners_and_the_share_that_did_not(team: Acme, worked: dict[str, UUID]) -> None:
    page = team.devs.get("/books/dark-spend?month=2026-10")
    shown = text(page)
    assert "laptop …tooP Grace proj_a" in shown and "evals proj_a" in shown and "$0.15" in shown
    assert "share-figure" in page.text and "94%" in shown
    (laptop, evals) = table(team.devs.get("/books/dark-spend.csv?month=2026-10"))
    assert (laptop["amount"], laptop["owner"], evals["surface"]) == ("0.15", "Grace", "evals")


def test_a_key_that_a_file_does_not_name_is_neither_none_nor_deleted(team: Acme, books: Books) -> None:
    call(books, linked_key(books), moment("09:00:00"), "gpt-4o", {"input_tokens": 1}, openai_project="proj_a")
    lines = [(None, "gpt-4o, input", None, None, "3"), (None, "evals | o3, output", None, None, "2")]
    fetch(books, {DAY: lines}, project="proj_b", grain="project")
    page = text(team.browser.get("/books/dark-spend?month=2026-10"))
    assert "key not named – proj_b" in page and "None" not in page and "deleted" not in page
    day = text(team.browser.get("/books/2026-10-14"))
    assert "gpt-4o, input key not named · proj_b" in day and "evals | o3, output no key · proj_b" in day


def test_csv_has_what_the_pages_have(team: Acme, worked: dict[str, UUID]) -> None:
    rows = table(team.devs.get("/books.csv?month=2026-10"))
    assert [(row["day"], row["difference"]) for row in rows] == [("2026-10-14", "0.1138556"), ("2026-10-15", "0.0018")]
    parts = table(team.devs.get("/books/2026-10-14.csv"))
    assert sum(D(part["amount"]) for part in parts) == D("0.1138556")
    assert sum(D(part["openai"] or 0) for part in parts) == D("2.4213")


def test_excel_adds_up_to_the_page_whatever_the_length_of_an_amount(team: Acme, books: Books) -> None:
    books.fetch([(None, "evals | o3, output", None, None, "1234.123456789012345678901234")])
    answer = team.browser.get("/books.xlsx?month=2026-10")
    header, row = openpyxl.load_workbook(io.BytesIO(answer.data))["OpenAI books"].iter_rows(values_only=True)
    cells = dict(zip(header, row, strict=True))
    shown = {"OpenAI": 1234.12345678901, "Difference": 1234.12345678901, "Explained": 1234.12345678901,
             "Ledger": 0, "Unexplained": 0, "Unexplained gross": 0}  # fmt: skip
    assert {name: cells[name] for name in shown} == pytest.approx(shown)
    assert cells["Exact amounts"].count("1234.123456789012345678901234") == 3


def test_an_admin_links_a_key_and_undoes_it(team: Acme, books: Books) -> None:
    version = provider_key(books)
    keys_of_openai(books, key_a="xyzA", key_b="other")
    books.fetch([("key_a", "gpt-4o, output", 1, "tokens", "1")])
    assert "No OpenAI key that SpendAI holds is linked" in text(team.devs.get("/books"))
    page = team.browser.get("/books/links").text
    assert page.index('<optgroup label="With this ending"><option value="key_a">') < page.index('value="key_b"')
    assert "<select" not in team.devs.get("/books/links").text and "not linked" in team.devs.get("/books/links").text
    words = {"version_id": str(version), "openai_key_id": "key_a"}
    assert team.devs.post("/books/links", **words).status_code == 403
    assert team.browser.post("/books/links", **words).status_code == 303
    assert "chosen by an admin" in text(team.devs.get("/books/links"))
    assert "not in the ledger" in text(team.devs.get("/books/2026-10-14"))
    link = books.one("select id from public.key_links where ended_at is null and org_id = %s", books.orgs["ada"])["id"]
    assert team.eves.post(f"/books/links/{link}/end").status_code == 404
    assert team.browser.post(f"/books/links/{link}/end").status_code == 303
    assert "another key" in text(team.devs.get("/books/2026-10-14"))
    told = text(team.browser.get("/audit"))
    assert "linked the OpenAI key ending in xyzA" in told and "undid the link" in told


def test_a_link_by_ending_says_so(team: Acme, books: Books) -> None:
    provider_key(books)
    keys_of_openai(books, key_a="xyzA")
    books.conn.execute("select app.key_links_by_ending(%s)", [books.orgs["ada"]])
    assert "linked by its ending" in text(team.devs.get("/books/links"))


def test_an_admin_names_a_line_and_forgets_it(team: Acme, books: Books) -> None:
    words = {"line_item": "Small Talk", "means": "gpt-4o, input"}
    assert team.devs.post("/books/aliases", **words).status_code == 403
    assert team.browser.post("/books/aliases", **words).status_code == 303
    assert "small talk gpt-4o, input Acme" in text(team.devs.get("/books/links"))
    refused = team.browser.post("/books/aliases", line_item="x", means="y" * 300)
    assert refused.status_code == 400 and 'aria-invalid="true"' in refused.text and 'value="x"' in refused.text
    alias = books.one("select id from public.line_aliases where org_id = %s", books.orgs["ada"])["id"]
    assert team.eves.post(f"/books/aliases/{alias}/delete").status_code == 404
    assert team.browser.post(f"/books/aliases/{alias}/delete").status_code == 303
    assert "small talk" not in team.devs.get("/books/links").text


def test_bad_words_in_the_address_are_no_server_error(team: Acme, worked: dict[str, UUID]) -> None:
    for month in ("x", "2026-13", "2026-1", "９９９９-01", "0001-01", "1999-12", "%00"):
        assert team.browser.get(f"/books?month={month}").status_code == 400
        assert team.browser.get(f"/books/dark-spend.csv?month={month}").status_code == 400
    for day in ("2026-02-30", "2026-10-16", "nonsense", "20261014", "2026-10-14x"):
        assert team.browser.get(f"/books/{day}").status_code == 404, day
        assert team.browser.get(f"/books/{day}.csv").status_code == 404, day
    for version in ("", "x", str(UUID(int=1))):
        assert team.browser.post("/books/links", version_id=version, openai_key_id="key_a").status_code == 404
    assert team.browser.post(f"/books/aliases/{2**80}/delete").status_code == 404


def test_the_button_to_fetch_tells_what_went_wrong(team: Acme) -> None:
    assert team.devs.post("/books/fetch").status_code == 403
    assert team.browser.post("/books/fetch").status_code == 303
    assert "Nothing was fetched: no OpenAI admin key is stored." in text(team.browser.get("/books"))


def test_eve_sees_nothing_of_acme(team: Acme, worked: dict[str, UUID]) -> None:
    for page in ("/books", "/books/dark-spend", "/books/links", "/books.csv?month=2026-10"):
        shown = team.eves.get(page)
        assert shown.status_code == 200 and "laptop" not in shown.text and "2.42" not in shown.text
    assert team.eves.get("/books/2026-10-14").status_code == team.eves.get("/books/2026-10-14.csv").status_code == 404


def test_the_api_has_the_same(team: Acme, worked: dict[str, UUID]) -> None:
    days = team.dev.get("/books/days?from=2026-10-01&to=2026-11-01").json
    assert [(row["day"], row["difference"]) for row in days["data"]] == [
        ("2026-10-14", "0.1138556"), ("2026-10-15", "0.0018"),
    ]  # fmt: skip
    assert (days["totals"]["difference"], days["totals"]["days"]) == ("0.1156556", 2)
    assert team.dev.get("/books/days?from=2026-10-15&to=2026-11-01").json["totals"]["openai"] == "0.0018"
    day = team.dev.get("/books/days/2026-10-14").json
    assert sum(D(part["amount"]) for part in day["parts"]) == D(day["difference"])
    assert {part["reason"] for part in day["parts"] if not part["explained"]} == {"quantity_unexplained", "no_quantity"}
    laptop, evals = team.dev.get("/books/dark-spend?from=2026-10-01&to=2026-11-01").json["data"]
    assert (laptop["openai_key"], laptop["amount"], evals["surface"]) == ("laptop", "0.15", "evals")
    (month,) = team.dev.get("/books/months").json["data"]
    assert (month["month"], month["status"], month["difference"]) == ("2026-10-01", "open", "0.1156556")


def test_the_api_refuses_what_is_no_period_and_finds_no_day_of_others(team: Acme, worked: dict[str, UUID]) -> None:
    for query, code in (("from=x", "invalid_date"), ("from=2026-10-02&to=2026-10-01", "invalid_period"),
                        ("from=2020-01-01&to=2026-01-01", "invalid_period"),
                        ("to=2026-10-01T00:00:00Z", "invalid_date")):  # fmt: skip
        for route in ("days", "dark-spend"):
            answer = team.ada.get(f"/books/{route}?{query}")
            assert (answer.status_code, answer.json["error"]["code"]) == (400, code)
    for who, day in ((team.ada, "2026-10-16"), (team.ada, "x"), (team.eve, "2026-10-14")):
        answer = who.get(f"/books/days/{day}")
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "day_not_found")
    assert team.eve.get("/books/months").json["data"] == []


def test_every_reason_has_words(site: Site) -> None:
    assert [reason for (reason,) in site.sql("select reason from public.part_reasons order by n")] == list(REASONS)


def test_what_the_books_prove_changes_the_ledger_once_an_admin_confirms_it(
    team: Acme, books: Books, worked: dict[str, UUID]
) -> None:
    page = text(team.devs.get("/books/learned?month=2026-10"))
    assert "0.0123" in page and "50,000" in page and "gpt-4.1" in page and "0.9" in page
    assert team.devs.post(f"/books/learned/calls/{worked['doubt']}").status_code == 403
    assert team.eves.post(f"/books/learned/calls/{worked['doubt']}").status_code == 404
    assert team.browser.post(f"/books/learned/calls/{worked['doubt']}").status_code == 303
    call = books.one("select state, cost from public.usage_logs where id = %s", worked["doubt"])
    assert call == {"state": "settled", "cost": D("0.0123")}
    assert team.devs.post("/books/learned/rates", model="gpt-4.1", month="2026-10").status_code == 403
    answer = team.browser.post("/books/learned/rates", model="gpt-4.1", month="2026-10")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/books/learned?month=2026-10")
    own = "select unit_price from public.model_prices where org_id = %s and model = 'gpt-4.1' and source = 'admin'"
    assert books.one(own, books.orgs["ada"]) == {"unit_price": D("7.2")}
    assert "No call" not in (left := text(team.browser.get("/books/learned?month=2026-10"))) and "0.0123" not in left


def test_spend_before_the_first_call_is_drawn_from_openais_books_and_in_no_sum(team: Acme, books: Books) -> None:
    today = datetime.now(UTC).date()
    call(books, linked_key(books), moment("00:00:01", today), "gpt-4o-mini", {"input_tokens": 10, "output_tokens": 1})
    assert "hatched" not in team.browser.get("/").text
    books.fetch([(None, "gpt-5, output", 1000, "tokens", "12.5")], today - timedelta(days=3))
    page = team.browser.get("/")
    assert "hatched" in page.text and "Before SpendAI, from OpenAI's books" in text(page) and "$12.50" in text(page)
    sums = "".join(re.findall(r"<dl.*?</dl>|<tfoot.*?</tfoot>", page.text, re.S))
    assert sums and "12.5" not in sums and "12.5" not in team.browser.get("/spend.csv").text
    assert "hatched" not in team.browser.get("/?model=gpt-4o-mini").text
