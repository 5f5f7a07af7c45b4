"""The same day in a time zone has the same calls, to the last digit, on pages, in files and by the API.

The day is 25 October 2026: in Berlin it has 25 hours, in Kolkata it begins at half past an hour of UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import Site
from seeded import Acme, spend, table
from zones import zone_an_hour_behind_utc

DAY = datetime(2026, 10, 25, tzinfo=UTC).date()
ZONES = ("Europe/Berlin", "Asia/Kolkata", "UTC")
PERIOD = f"from={DAY}&to={DAY}"


def edges(zone: str) -> tuple[datetime, datetime]:
    """Beginning and end of the day."""
    first, last = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (DAY, DAY + timedelta(days=1)))
    return first.astimezone(UTC), last.astimezone(UTC)


# A call one second before and one after each edge of each zone, and one in each of Berlin's two hours from 2 to 3.
MOMENTS = sorted({edge + timedelta(seconds=n) for zone in ZONES for edge in edges(zone) for n in (-1, 1)})
MOMENTS += [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]


@pytest.fixture
def team(site: Site) -> Acme:
    """Acme in Berlin. Of its calls each costs twice as much as the one before, so that no two sums are equal."""
    team = Acme(site)
    for n, at in enumerate(MOMENTS):
        usage = {"prompt_tokens": 1000 * 2**n, "completion_tokens": 0}
        spend(site, team, at=at, usage=usage, end_user="anna", tags={"team": "shop"})
    team.browser.post("/settings/time-zone", shown="/settings", time_zone="Europe/Berlin")
    return team


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_the_same_wherever_one_looks(team: Acme, zone: str) -> None:
    first, last = edges(zone)
    within = [n for n, at in enumerate(MOMENTS) if first <= at < last]
    cost = sum((Decimal("0.00015") * 2**n for n in within), Decimal(0))
    words = PERIOD if zone == "Europe/Berlin" else f"{PERIOD}&tz={zone}"  # Berlin's is the organization's own

    def shown(path: str, pattern: str) -> set[Decimal]:
        return {Decimal(found) for found in re.findall(pattern, team.browser.get(path).text)}

    for path in (f"/?{words}", f"/?{words}&grain=hour&by=end_user", f"/projects/{team.project['id']}?{words}",
                 f"/keys/{team.key['id']}?{words}", f"/team/{team.ada.user['id']}?{words}"):  # fmt: skip
        assert cost in shown(path, r'<dd class="big(?: long)?" title="\$([\d.]+)"'), path
    assert shown(f"/calls?{words}", r'id="sum-title"><span title="\$([\d.]+)"') == {cost}
    for path in ("keys", "projects", "end-users", "tags"):
        assert shown(f"/{path}?{words}", r'<td class="num spent" title="\$([\d.]+)"') == {cost}, path
    files = {path: table(team.browser.get(path)) for path in (
        f"/calls.csv?{words}", f"/spend.csv?{words}", f"/spend.csv?{words}&grain=hour&by=key", f"/keys.csv?{words}",
        f"/projects.csv?{words}", f"/end-users.csv?{words}", f"/tags.csv?{words}&tag_name=team",
    )}  # fmt: skip
    for path, rows in files.items():
        assert sum(Decimal(row["cost"]) for row in rows if "total" not in row.values()) == cost, path
    assert len(files[f"/calls.csv?{words}"]) == len(within)
    hours = [row["hour"] for row in files[f"/spend.csv?{words}&grain=hour&by=key"][:-1]]
    assert hours == sorted(set(hours), key=datetime.fromisoformat) and all(row[:10] == str(DAY) for row in hours)
    query = f"from={DAY}&to={DAY + timedelta(days=1)}&tz={zone}"
    days = team.ada.get(f"/usage?{query}&group_by=day").json
    assert [(row["day"], Decimal(row["cost"]), row["calls"]) for row in days["data"]] == [(str(DAY), cost, len(within))]
    by_hour = team.ada.get(f"/usage?{query}&granularity=hour").json
    assert sum(Decimal(row["cost"]) for row in by_hour["data"]) == cost == Decimal(by_hour["totals"]["cost"])
    assert len(team.ada.get(f"/calls?{query}&limit=100").json["data"]) == len(within)


def test_files_keep_the_dates_of_the_days_that_postgres_adds_up(team: Acme, tmp_path: Path) -> None:
    days = {"2026-10-25", "2026-10-26"}  # in Berlin, of a period that Python cuts an hour after midnight UTC
    with zone_an_hour_behind_utc("Europe/Berlin", tmp_path):
        for words, name, dates in (("by=key", "day", days), ("and=kind", "day", days),
                                   ("by=kind&grain=month", "month", {"2026-10-01"})):  # fmt: skip
            rows = table(team.browser.get(f"/spend.csv?{PERIOD}&{words}"))
            assert {row[name] for row in rows} - {"total"} == dates, words


def test_the_day_of_25_hours_has_as_many_bars_and_two_hours_of_the_same_name(team: Acme) -> None:
    page = team.browser.get(f"/?{PERIOD}&grain=hour").text
    bars = re.findall(
        r'<th scope="row"><a[^>]*>(Sun 25 Oct 2026, [^<]+)</a>',
        page.partition('id="spend-figure-values"')[2].partition("</table>")[0],
    )
    assert len(bars) == 25
    assert [bar for bar in bars if " 02:00" in bar] == ["Sun 25 Oct 2026, 02:00 CEST", "Sun 25 Oct 2026, 02:00 CET"]


def test_the_period_before_has_one_sum_on_every_page(site: Site) -> None:
    """Also for calls of its last hour, which is later in its day than it is now in today."""
    team, now = Acme(site), datetime.now(UTC)
    before_until = datetime.combine(now.date() - timedelta(days=29), time(), UTC)  # the last 30 days begin here
    for at in (before_until - timedelta(seconds=1), before_until - timedelta(days=9), before_until + timedelta(days=9)):
        usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
        spend(site, team, at=at, usage=usage, end_user="anna", tags={"team": "shop"})
    for path in ("/", "/projects", "/keys", "/end-users", "/tags?tag_name=team"):
        page = team.browser.get(path + ("&" if "?" in path else "?") + "period=30").text
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
        assert "−$0.15 " in words, (path, words)


def test_the_days_of_keys_and_projects_are_those_of_the_zone(site: Site, team: Acme) -> None:
    late = datetime(2026, 10, 24, 23, tzinfo=UTC)  # 25 October in Berlin
    for name in ("projects", "api_keys", "members"):
        column = "joined_at" if name == "members" else "created_at"
        site.sql(f"update public.{name} set {column} = %s where org_id = %s", late, team.ada.organization["id"])
    key = f"/keys/{team.key['id']}"
    team.browser.post(key, shown=key, name="main", note="", expires="2099-03-05")
    page = team.browser.get(key).text
    assert 'value="2099-03-05"' in page
    generation = page.partition("<tbody>")[2]
    assert ">25 Oct 2026</td>" in generation and ">5 Mar 2099</td>" in generation
    for path in ("/projects", f"/team/{team.ada.user['id']}"):
        assert "25 Oct 2026" in team.browser.get(path).text.partition("<main")[2], path
