"""flask books fetch against a fake Administration API: the worked day to the last digit, and every fault."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import Result
from conftest import Api, Site
from fake_admin_api import Event, FakeAdmin, bill, broken
from fake_replies import Wire, hang, reply_json, reset, truncate
from openai_books import DAY, NEXT_DAY, PROVEN, WORKED, moment, worked_ledger
from psycopg.rows import dict_row

from webapp import auth
from webapp.books import access, administration
from webapp.books.fetching import fetch_own

KEY = "sk-admin-canary-0123456789abcdef"
MINI = "gpt-4o-mini-2024-07-18"
TOMORROW = DAY + timedelta(days=1)
ALL = {"api.usage.read", "api.management.read"}
PERIOD = ("--from", str(DAY), "--to", str(DAY + timedelta(days=2)))


class Acme:
    """An organization whose admin stored an admin key by PUT /api/v1/admin-key; as openai_books takes people."""

    def __init__(self, site: Site, admin: FakeAdmin, conn: psycopg.Connection, key: str = KEY) -> None:
        self.site, self.conn = site, conn
        self.ada: Api = site.sign_up("ada")
        self.org = UUID(self.ada.organization["id"])
        project = self.ada.post("/projects", {"name": "chat"}).json["id"]
        made = self.ada.post(f"/projects/{project}/keys", {"name": "main"}).json["id"]
        self.orgs, self.projects = {"ada": self.org}, {"ada": UUID(project)}
        self.keys = {"ada": SimpleNamespace(id=UUID(made))}
        admin.keys[key] = ALL
        stored = self.ada.call("PUT", "/admin-key", {"key": key})
        assert (stored.status_code, stored.json["last4"]) == (200, key[-4:]), stored.text

    def one(self, query: str, *args: Any) -> Any:
        return self.conn.execute(query, args).fetchone()

    def all(self, query: str, *args: Any) -> list[Any]:
        return self.conn.execute(query, args).fetchall()

    def fetch(self, *words: str) -> Result:
        return self.site.app.test_cli_runner().invoke(args=["books", "fetch", "--org", str(self.org), *words])

    def days(self) -> dict[str, Decimal]:
        """Dollars of each day that counts."""
        rows = self.all(
            "select distinct on (day) day, amount from public.openai_days where org_id = %s order by day, n desc",
            self.org,
        )
        return {str(row["day"]): row["amount"] for row in rows}

    def newest(self) -> dict[str, Any]:
        return self.one("select * from public.openai_fetches where org_id = %s order by n desc limit 1", self.org)

    def version(self, last4: str = "xyzA") -> UUID:
        """A provider key of the organization's, not linked yet."""
        self.conn.execute("update public.organizations set books = 'openai' where id = %s", [self.org])
        return self.one(
            "insert into public.provider_key_versions (org_id, last4) values (%s, %s) returning id", self.org, last4
        )["id"]


def openai() -> FakeAdmin:
    """OpenAI with two projects and three keys, two of which end as the tests' provider keys do or do not."""
    fake = FakeAdmin()
    fake.project("proj_a", "Chat")
    fake.project("proj_old", "Old", archived=True)
    fake.key("key_proxy", "sk-proj-****…****xyzA")
    fake.key("key_laptop", "sk-abc...def", name="Ada's laptop")
    fake.key("key_other", "sk-proj-****zzzz", project="proj_old")
    return fake


@pytest.fixture(scope="module")
def owner(site: Site) -> Iterator[psycopg.Connection]:
    with psycopg.connect(site.admin, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        yield conn


@pytest.fixture
def admin() -> Iterator[FakeAdmin]:
    with openai() as fake:
        yield fake


@pytest.fixture
def acme(site: Site, admin: FakeAdmin, owner: psycopg.Connection) -> Acme:
    return Acme(site.with_settings(openai_base_url=admin.url), admin, owner)


@pytest.fixture(scope="module")
def steady(site: Site, owner: psycopg.Connection) -> Iterator[tuple[Acme, FakeAdmin]]:
    """An organization with two days fetched, for all faults one after the other."""
    with openai() as fake:
        organization = Acme(site.with_settings(openai_base_url=fake.url), fake, owner)
        fake.events = bill(DAY, NEXT_DAY)
        assert organization.fetch(*PERIOD).exit_code == 0
        yield organization, fake


def worked(admin: FakeAdmin) -> None:
    """The worked day of openai_books, and the minute of the call in doubt, as events at OpenAI."""
    admin.events = bill(DAY, WORKED) + bill(TOMORROW, NEXT_DAY)
    admin.events.append(Event(moment("15:02:30"), model=MINI, path="completions", counts=PROVEN))


def test_the_worked_day_comes_out_to_the_last_digit(acme: Acme, admin: FakeAdmin) -> None:
    worked(admin)
    ids = worked_ledger(acme, acme.version())
    done = acme.fetch(*PERIOD)
    assert done.exit_code == 0, done.output
    assert "2 days from 2026-10-14, 12 lines" in done.output
    rows = acme.all("select line, reason, amount from public.reconciled_parts where org_id = %s and day = %s"
                    " and reason <> 'agrees'", acme.org, DAY)  # fmt: skip
    assert {(row["line"], row["reason"]): row["amount"] for row in rows} == {
        ("gpt-4o-mini, input", "in_doubt"): Decimal("0.0075"),
        ("gpt-4o-mini, output", "in_doubt"): Decimal("0.0048"),
        ("gpt-4o-mini, output", "day_boundary"): Decimal("-0.0018"),
        ("gpt-5.6-luna, output", "free_tokens"): Decimal("-0.0231444"),
        ("gpt-4.1, output", "own_rate"): Decimal("-0.04"),
        ("web search tool calls", "quantity_unexplained"): Decimal("0.01"),
        ("gpt-5.4-2026-03-05, output", "outside_key"): Decimal("0.15"),
        ("evals | gpt-4o-mini-2024-07-18, input", "surface"): Decimal("0.0015"),
        ("file search tool calls", "no_quantity"): Decimal("0.005"),
    }
    day = acme.one("select * from public.reconciled_days where org_id = %s and day = %s", acme.org, DAY)
    assert (day["openai"], day["ledger"]) == (Decimal("2.4213"), Decimal("2.3074444"))
    (link,) = acme.all("select * from public.key_links where org_id = %s", acme.org)
    assert (link["version_id"], link["openai_key_id"], link["how"]) == (ids["key"], "key_proxy", "ending")
    names = {row["id"]: row["name"] for row in acme.all("select * from public.openai_keys where org_id = %s", acme.org)}
    assert names == {"key_proxy": "key_proxy", "key_laptop": "Ada's laptop", "key_other": "key_other"}
    old = acme.one("select * from public.openai_projects where org_id = %s and id = 'proj_old'", acme.org)
    assert (old["name"], old["status"]) == ("Old", "archived")


def test_minutes_are_asked_only_for_days_with_calls_in_doubt_and_the_key_is_in_no_address(
    acme: Acme, admin: FakeAdmin
) -> None:
    worked(admin)
    for clock in ("14:59:59", "15:12:00"):
        admin.events.append(Event(moment(clock), model=MINI, path="completions", counts=PROVEN))
    worked_ledger(acme, acme.version())
    admin.requests.clear()
    acme.fetch(*PERIOD)
    query = "select start_at from public.openai_usage_lines where org_id = %s and width = '1m'"
    assert [row["start_at"] for row in acme.all(query, acme.org)] == [moment("15:02:00")]
    widths = [asked["bucket_width"][0] for asked in admin.asked("usage/completions")]
    assert widths == ["1d", "1m"]
    (costs,) = admin.asked("costs")
    assert costs["group_by"] == ["project_id", "api_key_id", "line_item"]
    assert admin.asked("projects") == [{"limit": ["100"], "include_archived": ["true"]}]
    assert {r.header("authorization") for r in admin.requests} == {f"Bearer {KEY}"}
    assert not any("canary" in r.target for r in admin.requests)


def test_pages_are_followed_with_all_parameters_and_lists_to_their_end(acme: Acme, admin: FakeAdmin) -> None:
    admin.days_a_page, admin.page_size = 2, 1
    admin.events = [event for n in range(5) for event in bill(DAY + timedelta(days=n), NEXT_DAY)]
    admin.requests.clear()
    done = acme.fetch("--from", str(DAY), "--to", str(DAY + timedelta(days=5)))
    assert done.exit_code == 0, done.output
    assert list(acme.days().values()) == [Decimal("0.0018")] * 5
    pages = admin.asked("costs")
    assert len(pages) == 3 and len({json.dumps({k: v for k, v in p.items() if k != "page"}) for p in pages}) == 1
    assert len(acme.all("select from public.openai_keys where org_id = %s", acme.org)) == 3


def test_the_days_are_yesterday_and_the_seven_before_and_35_at_first(acme: Acme, admin: FakeAdmin) -> None:
    today = datetime.now(UTC).date()
    for days in (35, 8):
        assert acme.fetch().exit_code == 0
        fetch = acme.newest()
        assert (fetch["from_day"], fetch["until_day"]) == (today - timedelta(days=days), today)
    assert len(acme.days()) == 35
    assert acme.one("select bool_and(whole) as all_whole from public.openai_days where org_id = %s", acme.org)[
        "all_whole"
    ]


def test_today_is_not_whole_and_openais_clock_decides(acme: Acme, admin: FakeAdmin) -> None:
    admin.now = datetime(2026, 10, 15, 0, 10, tzinfo=UTC)
    acme.fetch(*PERIOD)
    rows = acme.all("select day, whole from public.openai_days where org_id = %s order by day", acme.org)
    assert [(row["day"], row["whole"]) for row in rows] == [(DAY, True), (TOMORROW, False)]


def test_a_newer_fetch_counts_and_the_older_one_stays(acme: Acme, admin: FakeAdmin) -> None:
    admin.events = bill(DAY, NEXT_DAY)
    acme.fetch(*PERIOD)
    admin.events += bill(DAY, [(None, "evals | o3, output", 1, "calls", "1e-12")])
    acme.fetch(*PERIOD)
    assert acme.days() == {str(DAY): Decimal("0.001800000001"), str(TOMORROW): 0}
    assert len(acme.all("select from public.openai_fetches where org_id = %s", acme.org)) == 2


def test_amounts_are_exact_however_they_come(acme: Acme, admin: FakeAdmin) -> None:
    events = bill(DAY, [(None, f"line {n}", None, None, "0.10000000000000001") for n in range(4)])
    admin.events = [*events, *bill(DAY, [(None, "zero", None, None, 0)])]
    admin._spelled = lambda dollars: f"{dollars:.39f}" if dollars else "0E-6176"
    admin.events += bill(DAY, [(None, "tiny", None, None, "1e-39")])
    acme.fetch(*PERIOD)
    assert acme.days()[str(DAY)] == Decimal("0.400000000000000040000000000000000000001")
    rows = acme.all(
        "select scale(amount) as n from public.openai_cost_lines where org_id = %s and line_item = 'zero'", acme.org
    )
    assert [row["n"] for row in rows] == [0]


def test_where_costs_cannot_be_grouped_by_key_they_come_by_project(acme: Acme, admin: FakeAdmin) -> None:
    admin.by_key, admin.events = False, bill(DAY, WORKED)
    assert acme.fetch(*PERIOD).exit_code == 0
    assert acme.newest()["grain"] == "project"
    assert acme.days()[str(DAY)] == Decimal("2.4213")


FORBIDDEN = {"error": {"message": "You must be an organization owner to access this resource."}}
SCOPE = {"error": {"message": "Missing scopes: api.usage.read.", "type": "invalid_request_error"}}
ECHO = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
BUCKET = {"object": "bucket", "start_time": 1791936000, "end_time": 1792022400}
AMOUNT = {"value": "1", "currency": "usd"}


def page(*results: Any, **more: Any) -> Any:
    return reply_json({"object": "page", "data": [BUCKET | {"results": list(results)}], "has_more": False} | more)


FAULTS = {
    "401": (reply_json(ECHO, 401), "does not accept the admin key"),
    "403": (reply_json(FORBIDDEN, 403), "may not read this"),
    "missing scope as 401": (reply_json(SCOPE, 401), "lacks a right"),
    "404 without a body": (broken(b"", 404), "status 404"),
    "429": (reply_json({"error": {"message": "slow down"}}, 429, [("retry-after", "7")]), "Try again in 7 s"),
    "429 without a time": (reply_json({}, 429), "Try again later"),
    "500": (reply_json({}, 500), "status 500"),
    "redirect": (reply_json({}, 302, [("location", "http://127.0.0.1:1/")]), "status 302"),
    "HTML": (broken(b"<html>maintenance</html>", 200, "text/html"), "not complete JSON"),
    "cut JSON": (broken(b'{"object": "page", "data": [{"obj'), "not complete JSON"),
    "a list": (broken(b"[]"), "not a JSON object"),
    "deep": (broken(b"[" * 100000), "not complete JSON"),
    "cut off": (truncate(b'{"object": "page"', 100), "broke off"),
    "reset": (reset(), "could not be reached"),
    "silence": (hang(), "did not answer in time"),
    "no data": (broken(b'{"object": "page", "has_more": false}'), "has no data"),
    "more without cursor": (page(has_more=True, next_page=None), "not where"),
    "no results": (reply_json({"data": [BUCKET], "has_more": False}), "no results"),
    "another currency": (page({"amount": {"value": 1, "currency": "eur"}, "line_item": "x"}), "'eur'"),
    "no amount": (page({"amount": None, "line_item": "x"}), "no amount"),
    "no number": (page({"amount": {"value": "one", "currency": "usd"}}), "no number"),
    "not finite": (page({"amount": {"value": "NaN", "currency": "usd"}}), "out of range"),
    "endless": (page({"amount": {"value": "1e999999", "currency": "usd"}}), "out of range"),
    "true": (page({"amount": {"value": True, "currency": "usd"}}), "no number"),
    "NUL": (page({"amount": AMOUNT, "line_item": "a\0b"}), "cannot be stored"),
    "half a character": (page({"amount": AMOUNT, "line_item": "a\ud800"}), "cannot be stored"),
    "a day twice": (reply_json({"data": [BUCKET | {"results": []}] * 2}), "twice"),
    "not midnight": (reply_json({"data": [BUCKET | {"start_time": 1791936002, "results": []}]}), "midnight"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_and_stored_and_the_old_days_stay(
    steady: tuple[Acme, FakeAdmin],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    acme, fake = steady
    if fault == "silence":
        monkeypatch.setattr(administration, "READ_SECONDS", 0.2)
    answer, words = FAULTS[fault]
    fake.queue("costs", answer)
    done = acme.fetch(*PERIOD)
    assert done.exit_code == 1 and words in done.output and "Traceback" not in done.output
    assert words in acme.newest()["error"] and "canary" not in acme.newest()["error"]
    assert acme.days() == {str(DAY): Decimal("0.0018"), str(TOMORROW): 0}
    assert len(acme.all("select from public.openai_cost_lines where org_id = %s", acme.org)) == 1
    assert words in acme.ada.get("/admin-key").json["error"]
    captured = capfd.readouterr()
    assert "canary" not in done.output + captured.out + captured.err


def test_more_requests_than_postgres_can_count_are_a_fault_of_the_answer(acme: Acme, admin: FakeAdmin) -> None:
    admin.queue("usage/completions", page({"num_model_requests": 2**63}))
    done = acme.fetch(*PERIOD)
    assert done.exit_code == 1 and "the number of requests is out of range" in acme.newest()["error"]


@pytest.mark.parametrize("path", ["usage/completions", "usage/vector_stores", "projects", "projects/proj_a/api_keys"])
def test_a_fault_after_the_costs_voids_the_whole_fetch(acme: Acme, admin: FakeAdmin, path: str) -> None:
    admin.events = bill(DAY, WORKED)
    admin.queue(path, reply_json({}, 503))
    assert acme.fetch(*PERIOD).exit_code == 1
    assert acme.days() == {}
    assert acme.newest()["error"].startswith(f"{path}: OpenAI has a fault")


def test_a_second_page_that_fails_or_repeats_its_cursor_voids_the_fetch(acme: Acme, admin: FakeAdmin) -> None:
    admin.queue("costs", page(has_more=True, next_page="page_x="), reply_json({}, 500))
    assert acme.fetch(*PERIOD).exit_code == 1 and acme.days() == {}
    again = reply_json({"data": [], "has_more": True, "next_page": "page_x="})
    admin.queue("costs", again, again)
    done = acme.fetch(*PERIOD)
    assert done.exit_code == 1 and "repeat themselves" in done.output and acme.days() == {}


def test_the_keys_of_an_archived_project_may_be_gone(acme: Acme, admin: FakeAdmin) -> None:
    admin.queue("projects/proj_old/api_keys", reply_json({}, 404))
    assert acme.fetch(*PERIOD).exit_code == 0
    assert len(acme.all("select from public.openai_keys where org_id = %s", acme.org)) == 2


def test_two_organizations_on_one_openai_account_never_mix(acme: Acme, admin: FakeAdmin) -> None:
    worked(admin)
    evil = Acme(acme.site, admin, acme.conn)
    worked_ledger(acme, acme.version())
    evil.version("none")
    for each in (acme, evil):
        assert each.fetch(*PERIOD).exit_code == 0
    links = acme.all("select org_id, openai_key_id from public.key_links where org_id = any(%s)", [acme.org, evil.org])
    assert [(row["org_id"], row["openai_key_id"]) for row in links] == [(acme.org, "key_proxy")]
    for each, calls in ((acme, True), (evil, False)):
        day = each.one("select * from public.reconciled_days where org_id = %s and day = %s", each.org, DAY)
        assert (day["openai"], day["ledger"] > 0) == (Decimal("2.4213"), calls)
    reasons = evil.all(
        "select distinct reason from public.reconciled_parts where org_id = %s and day = %s", evil.org, DAY
    )
    assert {row["reason"] for row in reasons} == {"outside_key", "surface"}


def test_every_organization_is_fetched_and_one_that_fails_does_not_keep_the_others_from_it(
    acme: Acme, admin: FakeAdmin
) -> None:
    acme.conn.execute("delete from private.admin_keys where org_id <> %s", [acme.org])
    both = acme, Acme(acme.site, admin, acme.conn, KEY.replace("canary", "second"))

    def fetched() -> tuple[Result, list[int]]:
        counted = "select count(*) as n from public.openai_days where org_id = %s"
        done = acme.site.app.test_cli_runner().invoke(args=["books", "fetch", *PERIOD])
        return done, [acme.one(counted, one.org)["n"] for one in both]

    done, days = fetched()
    assert (done.exit_code, days) == (0, [2, 2]), done.output
    admin.keys[KEY] = set()
    done, days = fetched()
    assert done.exit_code == 1 and "lacks a right" in done.output
    assert days == [2, 4], done.output


def drip_head(wire: Wire) -> None:
    """A head that comes byte by byte and never ends."""
    wire.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(wire)


def drip_body(wire: Wire) -> None:
    """A body that comes byte by byte and never ends."""
    wire.head(200, [("content-type", "application/json"), ("content-length", "1000000")])
    drip(wire)


def drip(wire: Wire) -> None:
    for _ in range(2000):
        wire.send(b" ")
        wire.pause(0.02)


@pytest.mark.parametrize("slow", [drip_head, drip_body])
def test_a_server_that_sends_byte_by_byte_does_not_keep_the_others_waiting(
    acme: Acme, admin: FakeAdmin, slow: Callable[[Wire], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = acme.ada.call(
        "PUT", "/admin-key", {"key": KEY, "base_url": admin.url.replace("127.0.0.1", "localhost")}
    )
    assert elsewhere.status_code == 200
    monkeypatch.setattr(access, "ELSEWHERE_BY_COMMAND", access.ELSEWHERE_BY_COMMAND._replace(seconds=0.2))
    admin.queue("costs", slow)
    done = acme.fetch(*PERIOD)
    assert done.exit_code == 1 and "costs: OpenAI did not answer in time" in done.output


def test_pages_that_are_too_large_are_asked_for_in_smaller_parts(
    acme: Acme, admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [DAY - timedelta(days=number) for number in range(20)]
    for number, day in enumerate(days):  # of the oldest days, more lines
        admin.events += bill(day, [(None, f"gpt-{line}, input", 1, None, 1) for line in range(number * 2 + 1)])
    monkeypatch.setattr(access, "OPENAI", access.OPENAI._replace(answer=40_000))
    done = acme.fetch("--from", str(days[-1]), "--to", str(DAY + timedelta(days=1)))
    assert done.exit_code == 0, done.output
    assert acme.days() == {str(day): Decimal(number * 2 + 1) for number, day in enumerate(days)}
    limits = [int(asked["limit"][0]) for asked in admin.asked("costs")]
    assert limits[:3] == [1, 180, 22] and set(limits[3:]) == {2}, limits  # the first: when the key was stored


def test_a_server_with_too_many_bytes_in_all_is_left(
    acme: Acme, admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "OPENAI", access.OPENAI._replace(answers=3000))
    admin.queue(
        "costs", *(reply_json({"data": [], "has_more": True, "next_page": str(n), "x": "x" * 1000}) for n in range(9))
    )
    done = acme.fetch(*PERIOD)
    assert done.exit_code == 1 and "costs: OpenAI's answer is larger than" in done.output


@pytest.mark.parametrize("words", [
    ("--from", "2026-10-14", "--to", "2026-10-14"), ("--from", "2020-01-01"), ("--from", "2999-01-01"),
    ("--from", "yesterday"),
])  # fmt: skip
def test_a_period_that_is_none_is_refused_and_nothing_stored(acme: Acme, words: tuple[str, ...]) -> None:
    done = acme.fetch(*words)
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert acme.all("select from public.openai_fetches where org_id = %s", acme.org) == []


def test_without_an_admin_key_the_command_says_so_and_whose(acme: Acme) -> None:
    assert acme.ada.call("DELETE", "/admin-key").status_code == 204
    done = acme.fetch()
    whose = f"of an organization called '{acme.org}'"
    assert done.exit_code == 1 and f"no OpenAI admin key {whose} is stored" in done.output


def test_a_key_sealed_with_another_encryption_key_is_told(acme: Acme) -> None:
    ring = {1: b"x" * 32}
    other = acme.site.with_settings(key_ring=ring, openai_base_url=acme.site.config.openai_base_url)
    done = other.app.test_cli_runner().invoke(args=["books", "fetch", "--org", str(acme.org)])
    assert done.exit_code == 1 and "store the admin key again" in done.output


def test_a_signed_in_admin_fetches_too(acme: Acme, admin: FakeAdmin) -> None:
    worked(admin)
    headers = {"Authorization": f"Bearer {acme.ada.token}"}
    with acme.site.app.test_request_context("/api/v1/me", headers=headers):
        acme.site.app.preprocess_request()
        done = fetch_own(acme.site.config, auth.person, DAY, DAY + timedelta(days=2))
    assert (done.error, done.days, done.lines) == (None, 2, 12)
    assert acme.newest()["fetched_by"] == UUID(acme.ada.user["id"])


def test_the_admin_key_is_in_no_table_in_clear(acme: Acme, admin: FakeAdmin) -> None:
    admin.queue("costs", reply_json(ECHO, 401))
    acme.fetch(*PERIOD)
    acme.fetch(*PERIOD)
    needles = [KEY, KEY.encode().hex(), base64.b64encode(KEY.encode()).decode()[:40]]
    for table in acme.all("select schemaname || '.' || tablename as name from pg_tables where schemaname in"
                          " ('public', 'private', 'local_auth')"):  # fmt: skip
        for needle in needles:
            found = acme.all(f"select from {table['name']} t where strpos(t::text, %s) > 0", needle)
            assert found == [], table["name"]
