"""No sum of dollars that lacks calls looks complete: where no cost is known, no page shows just $0.00."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from conftest import Site
from seeded import Acme, spend, table, text

from webapp.written import day

PAGES = (
    "/", "/?by=model", "/?by=key", "/?by=person", "/?by=tag", "/?by=tag&tag_name=team", "/?by=end_user", "/?by=kind",
    "/?by=project&and=model", "/?measure=calls", "/?measure=tokens", "/?grain=week",
    "/projects", "/projects/{project}", "/keys", "/keys/{key}", "/team/{member}", "/end-users", "/tags",
    "/tags?tag_name=team",
)  # fmt: skip
FILES = (
    "/spend.csv", "/spend.csv?by=key", "/spend.csv?by=tag&tag_name=team", "/spend.csv?grain=month", "/projects.csv",
    "/keys.csv", "/end-users.csv", "/tags.csv",
)  # fmt: skip
UNPRICED = {"model": "nobody-knows-it", "model_requested": "nobody-knows-it"}
MISSING = ("unpriced_calls", "no_usage_calls", "in_doubt_calls", "unknown_calls")
Period = tuple[datetime, datetime]


def noon(days: int) -> datetime:
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days)


def call(site: Site, team: Acme, at: datetime, **changes: Any) -> None:
    spend(site, team, at=at, end_user="u1", tags={"team": "web"}, **changes)


def during(path: str, first: datetime, last: datetime) -> str:
    return f"{path}{'&' if '?' in path else '?'}from={first.date()}&to={last.date()}"


@pytest.fixture(scope="module")
def unknown(site: Site) -> tuple[Acme, Period]:
    """Acme, which called a model without a price now and at noon of each of four days; and the last two of the days."""
    team, noons = Acme(site), [noon(days) for days in range(1, 5)]
    for at in (datetime.now(UTC), *noons):
        call(site, team, at, **UNPRICED)
    return team, (noons[1], noons[0])


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_a_sum_without_its_mark(unknown: tuple[Acme, Period], path: str) -> None:
    team, period = unknown
    member = team.ada.get("/me").json["user"]["id"]
    page = team.browser.get(during(path.format(project=team.project["id"], key=team.key["id"], member=member), *period))
    assert page.status_code == 200 and "$0.00 + ?" in text(page)
    assert re.search(r"marked \?: 2 calls of unknown cost|\? marks a sum that lacks calls", text(page)), (
        "says what ? is"
    )
    # A change has the question mark alone.
    assert re.findall(r".{60}\$0\.00(?! \+ \?| \?).{20}", text(page)) == []
    assert re.findall(r'title="\$0\.00(?: before)?"', page.text) == []


def test_the_bars_of_a_chart_say_it_and_each_sum_that_follows(site: Site) -> None:
    team, at = Acme(site), [noon(days) for days in range(6, 0, -1)]  # two days before three of the period
    call(site, team, at[1])
    call(site, team, at[2], **UNPRICED)
    for n in (3, 4, 5):
        call(site, team, at[n])
    call(site, team, at[4], **UNPRICED)
    page = team.browser.get(during("/?by=model", at[3], at[5])).text

    def cells(figure: str) -> list[list[str]]:
        rows = re.search(rf'id="{figure}-values".*?<tbody>(.*?)</tbody>', page, re.S)[1]
        return [re.findall("<td>(.*?)</td>", row) for row in rows.split("</tr>")[:3]]

    one, none = "$0.00045", "$0.00 + ?"
    assert cells("spend-figure") == [[one, one, ""], [f"{one} + ?", one, none], [one, one, ""]]
    assert cells("running-figure") == [
        ["$0.00045", ""], ["$0.00090 + ?", "$0.00045"], ["$0.0014 + ?", "$0.00045 + ?"],
    ]  # fmt: skip
    assert re.findall(r"</i>[^<]+: (\$[^<]+)</span>", page) == ["$0.0014 + ?", "$0.00045 + ?"]
    assert re.findall('<dd class="(big[^"]*)" title="\\$', page)[0] == "big", "the mark makes no figure smaller"


def test_each_kind_of_cost_lacks_them_because_nobody_knows_what_they_paid_for(site: Site) -> None:
    team, at = Acme(site), [noon(days) for days in (4, 3, 2, 1)]  # two days before two of the period
    for moment in at:
        call(site, team, moment)
    call(site, team, at[1], **UNPRICED)
    call(site, team, at[3], **UNPRICED)
    page = team.browser.get(during("/?by=kind", at[2], at[3]))
    rows = re.search(r"Spend by kind.*?<tbody>(.*?)</tfoot>", page.text, re.S)[1]
    sums = re.findall(r'1 of 3 calls without a known cost">(\$[\d.]+) <span class="warn">\+ \?</span>', rows)
    assert len(sums) == 6 and sums[0::2] == sums[1::2], "now and before, of input, output and both"
    assert "details" not in rows and rows.count('<span class="warn">?</span>') == 3, "changes"
    bars = re.search(r'id="spend-figure-values".*?<tbody>(.*?)</tbody>', page.text, re.S)[1]
    assert [row.count("+ ?") for row in bars.split("</tr>") if "+ ?" in row] == [3], "the hour, its input and output"


def test_calls_of_unknown_cost_make_the_average_no_smaller(site: Site) -> None:
    team, at = Acme(site), [noon(days) for days in (2, 1)]
    for moment in at:
        call(site, team, moment)
    call(site, team, at[1], **UNPRICED)
    assert "Per 1,000 calls $0.45 Errors" in text(team.browser.get(during("/", at[0], at[0])))
    page = text(team.browser.get(during("/", at[1], at[1])))
    assert "Per 1,000 calls $0.45 ? same as before: $0.45 without 1 of unknown cost" in page


@pytest.mark.parametrize("path", FILES)
def test_no_file_has_a_sum_without_the_number_of_calls_that_it_lacks(unknown: tuple[Acme, Period], path: str) -> None:
    team, period = unknown
    rows = table(team.browser.get(during(path, *period)))
    assert rows
    for row in rows:
        assert Decimal(row["cost"]) == 0 and sum(int(row.get(name) or 0) for name in MISSING) == int(row["calls"]) > 0
        assert "cost_before" not in row or int(row["unknown_before"]) == 2


def test_the_file_by_kind_has_a_row_for_the_calls_that_no_kind_has(unknown: tuple[Acme, Period]) -> None:
    team, period = unknown
    rows = table(team.browser.get(during("/spend.csv?by=kind", *period)))
    days = [at.date().isoformat() for at in period]
    assert [(row["day"], row["kind"], row["cost"], row["unpriced_calls"]) for row in rows] == [
        (days[0], "unknown", "", "1"), (days[1], "unknown", "", "1"),
    ]  # fmt: skip


def test_a_mark_of_the_period_before_alone_is_explained_too(site: Site) -> None:
    team = Acme(site)
    call(site, team, noon(2), **UNPRICED)
    call(site, team, noon(1))
    page = text(team.browser.get(during("/", noon(1), noon(1))))
    assert f"Not in the sums marked ?: of {day(noon(2))}, 1 call of unknown cost" in page


def test_marks_in_the_table_of_months_are_explained_where_the_period_has_none(site: Site) -> None:
    team = Acme(site)
    call(site, team, noon(40), **UNPRICED)
    call(site, team, datetime.now(UTC))
    page = text(team.browser.get("/?period=today"))
    assert "+ ?" in page.partition("Spend per month")[2] and "Not in the sums" not in page
    assert "? marks a sum that lacks calls" in page
