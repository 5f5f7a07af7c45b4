"""How pages and API show sums that leave out calls of unknown cost, and corrections."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from conftest import Site
from seeded import Acme, leave_open, spend, table, text


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def correct(site: Site, call_id: object, delta: str, at: datetime) -> None:
    site.sql(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, at)"
        " select org_id, id, started_at, %s, 'list price was wrong', %s from public.usage_logs where id = %s",
        delta,
        at,
        call_id,
    )


@pytest.mark.parametrize(("changes", "words", "found"), [
    ({"model": "unheard-of", "model_requested": "unheard-of"}, "1 call has no price", "unheard-of"),
    ({"outcome": "no_usage", "usage": None, "status_code": 504}, "1 call came back without usage", "504"),
    ({"outcome": "pending", "usage": None}, "1 call came back without usage", "not known"),
])  # fmt: skip
def test_every_kind_of_call_that_sums_leave_out_has_an_amber_line_with_its_calls(
    site: Site, team: Acme, changes: dict[str, object], words: str, found: str
) -> None:
    spend(site, team, **changes)
    page = team.browser.get("/")
    line = re.search(rf'<li><a href="([^"]+)">{words}', re.sub(r"</a> (came|has)", r" \1", page.text))
    assert "Not in the sums marked ?: 1 call of unknown cost" in text(page)
    assert '<details class="notice warn">' in page.text
    assert line, text(page)
    assert found in text(team.browser.get(line[1].replace("&amp;", "&")))


def test_a_call_in_doubt_has_an_amber_line_too(site: Site, team: Acme) -> None:
    spend(site, team)
    leave_open(site, team)
    page = team.browser.get("/")
    line = re.search(r'<li><a href="([^"]+)">1 call is</a> in doubt', page.text)
    assert "in doubt" in text(team.browser.get(line[1].replace("&amp;", "&")))


def test_a_correction_counts_when_it_was_booked_and_is_shown_as_such_everywhere(site: Site, team: Acme) -> None:
    call_id = spend(site, team, 40)
    correct(site, call_id, "0.5", datetime.now(UTC))
    page = text(team.browser.get("/"))
    assert "Spend contains $0.50 of corrections They were booked in this period" in page
    assert "with every correction of them until today, cost $0.00" in page
    assert "No calls in this period" not in page
    (row,) = table(team.browser.get("/spend.csv"))
    assert (row["calls"], row["cost"], row["adjustments"], row["cost_corrected"]) == (
        "0", "0.5", "0.5", "0",
    )  # fmt: skip
    totals = team.ada.get("/usage").json["totals"]
    assert (totals["calls"], totals["cost"], totals["adjustments"], totals["cost_corrected"]) == (0, "0.5", "0.5", "0")
    before = (datetime.now(UTC) - timedelta(days=41)).date()
    then = team.ada.get(f"/usage?from={before}&to={before + timedelta(days=2)}").json["totals"]
    assert (then["cost"], then["adjustments"], then["cost_corrected"]) == ("0.00045", "0", "0.50045")
    page = text(team.browser.get(f"/?from={before}&to={before + timedelta(days=2)}"))
    assert "Calls of this period were corrected later" in page and "Spend contains" not in page
    assert "with every correction of them until today, cost $0.50" in page


def test_a_call_keeps_its_cost_and_shows_its_corrections(site: Site, team: Acme) -> None:
    call_id = spend(site, team)
    correct(site, call_id, "-0.00005", datetime.now(UTC))
    page = text(team.browser.get(f"/calls/{call_id}"))
    assert "Cost of the call $0.00045" in page
    assert "list price was wrong −$0.00005" in page and "Corrected cost $0.0004" in page
    call = team.ada.get(f"/calls/{call_id}").json
    assert (call["cost"], call["adjustments"], call["cost_corrected"]) == ("0.00045", "-0.00005", "0.0004")
    (row,) = table(team.browser.get("/calls.csv"))
    assert (row["cost"], row["cost_corrected"]) == ("0.00045", "0.0004")


def called_in_a_dropped_month(site: Site, team: Acme, month: int) -> str:
    """A call of today, and one of a month of 2019 that is dropped then; the words of an address for that month."""
    for at in (datetime(2019, month, 10, 12, tzinfo=UTC), datetime.now(UTC)):
        spend(site, team, at=at, tags={"team": "web"})
    site.sql(f"alter table public.usage_logs detach partition private.usage_logs_2019_0{month}")
    site.sql(f"select app.retention_drop('2019-0{month}-01', 'old', null)")
    return f"from=2019-0{month}-01&to=2019-0{month}-28"


def test_two_breakdowns_of_a_dropped_month_that_only_its_calls_would_tell_make_a_page(site: Site, team: Acme) -> None:
    days = called_in_a_dropped_month(site, team, 2)
    for words in ("and=end_user&tag=team", "and=end_user"):
        assert team.browser.get(f"/?{days}&by=project&{words}").status_code == 200


def test_a_page_says_what_it_lacks_where_the_totals_of_a_dropped_month_are_no_answer(site: Site, team: Acme) -> None:
    days = called_in_a_dropped_month(site, team, 3)
    words = "Not in these sums: calls from before 1 Apr 2019 (UTC), and corrections of them. They were dropped"
    assert words in text(team.browser.get(f"/?{days}&by=model&tag=team%3Dweb"))
    assert words in text(team.browser.get(f"/?{days}&by=project&and=end_user&tag=team"))
    assert words not in text(team.browser.get(f"/?{days}&by=project&tag=team%3Dweb"))
    assert words not in text(team.browser.get(f"/?{days}&by=tag&key={team.key['id']}"))
    assert words not in text(team.browser.get("/?from=2019-04-01&to=2019-04-30&compare=none&by=model&tag=team%3Dweb"))
    file = team.browser.get(f"/spend.xlsx?{days}&by=model&tag=team%3Dweb")
    about = openpyxl.load_workbook(io.BytesIO(file.data))["About"].iter_rows(values_only=True)
    assert [f"{value:%Y-%m-%d}" for name, value in about if "Not in the rows" in name] == ["2019-04-01"]
    asked = "/usage?from=2019-03-01&to=2019-04-01&tag=team%3Dweb&group_by="
    assert team.ada.get(asked + "model").json["lack_before"] == "2019-04-01"
    assert team.ada.get(asked + "project").json["lack_before"] is None


def test_a_list_of_calls_says_which_were_dropped(site: Site, team: Acme) -> None:
    days = called_in_a_dropped_month(site, team, 4)
    words = "Not in this list: calls from before 1 May 2019 (UTC), which were dropped"
    assert words in text(team.browser.get(f"/calls?{days}"))
    assert words not in text(team.browser.get("/calls"))
    for period, told in ((days, 1), ("from=2019-05-01&to=2019-05-31", 0)):
        file = team.browser.get(f"/calls.xlsx?{period}")
        about = openpyxl.load_workbook(io.BytesIO(file.data))["About"].iter_rows(values_only=True)
        assert sum("Not in the rows" in name for name, _ in about) == told
