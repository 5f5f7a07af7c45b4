"""Pages and the API on a read replica: who may read it, what it says of its age, and what happens when it fails."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from analysts import new_analyst
from openai_books import DAY, WORKED, fetch, linked_key
from openpyxl import load_workbook
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from replicated import Replicated, replica_of
from seeded import Acme, spend, text
from werkzeug.test import TestResponse

from webapp import db
from webapp.auth import AS_OF, transactions
from webapp.pages import export
from webapp.replica import reading
from webapp.replica.servers import FAR, FAR_BEHIND

NOBODY = "00000000-0000-0000-0000-000000000000"
UNASKED = ("/static/", "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/login", "/signup", "/password/",
           "/recovery")  # fmt: skip
EXPORT = "/settings/export.zip"
PARAMETER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")


@pytest.fixture(scope="module")
def acme(replicated: Replicated) -> Acme:
    """Ada's organization with a call and OpenAI's books, and everybody of it signed in."""
    team = Acme(replicated.site)
    team.call = spend(replicated.site, team, upstream="openai")
    fetch_books(team)
    assert team.browser and team.devs and team.eves
    return team


def fetch_books(acme: Acme) -> None:
    """A new copy of a day of OpenAI's books, which nobody has compared with the ledger yet."""
    with psycopg.connect(acme.site.dsn, autocommit=True, row_factory=dict_row) as conn:
        books = SimpleNamespace(conn=conn, orgs={"ada": acme.ada.organization["id"]})
        books.one = lambda query, *args: conn.execute(query, args).fetchone()
        if not books.one("select id from public.key_links where org_id = %s", books.orgs["ada"]):
            linked_key(books)
        fetch(books, {DAY: WORKED})


@pytest.fixture(autouse=True)
def caught_up(replicated: Replicated, acme: Acme) -> Iterator[None]:
    """The replica has everything before a test, and goes on replaying after it."""
    replicated.look()
    yield
    replicated.standby.go_on()


def from_replica(answer: TestResponse) -> bool:
    """Whether an answer was read from the replica; it must be one."""
    assert answer.status_code == 200, answer.text
    return AS_OF in answer.headers


def addresses(acme: Acme) -> Iterator[str]:
    """Every address that pages and the API read, filled in; Excel files are made by the views of the CSV files."""
    words = {"project_id": acme.project["id"], "key_id": acme.key["id"], "call_id": acme.call, "day": DAY,
             "month": f"{DAY:%Y-%m}", "user_id": acme.dev.user["id"], "model": "gpt-5", "kind": "csv",
             "by": "lines"}  # fmt: skip
    for rule in acme.site.app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.rule.startswith(UNASKED) and not rule.rule.endswith(".xlsx"):
            yield PARAMETER.sub(lambda found: str(words.get(found[2], NOBODY)), rule.rule)


def get(acme: Acme, path: str) -> TestResponse:
    """An address as Ada asks for it, read to its end."""
    by_api = path.startswith("/api/")
    answer = acme.ada.get(path.removeprefix("/api/v1")) if by_api else acme.browser.get(path)
    answer.get_data()
    return answer


def test_every_page_and_answer_can_be_read_on_a_replica(
    replicated: Replicated,
    acme: Acme,
    caplog: pytest.LogCaptureFixture,
) -> None:
    acme.browser.get("/books")  # on which the primary has compared the days of OpenAI's books
    acme.browser.get(f"/books?month={DAY:%Y-%m}")
    replicated.look()
    every = sorted(
        addresses(acme), key=EXPORT.__eq__
    )  # it writes to the audit log: what Ada asks next is not replayed yet
    assert len(every) > 60
    answers = {path: get(acme, path) for path in every}
    assert {path: a.status_code for path, a in answers.items() if a.status_code not in (200, 302, 404)} == {}
    assert [path for path, a in answers.items() if AS_OF not in a.headers] == []
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_what_a_page_writes_when_it_is_looked_at_is_written_on_the_primary(acme: Acme, replicated: Replicated) -> None:
    fetch_books(acme)
    replicated.look()
    path = f"/books?month={DAY:%Y-%m}"
    first = acme.browser.get(path)
    assert not from_replica(first)
    replicated.look()
    again = acme.browser.get(path)
    now = re.compile(r"\d\d:\d\d:\d\d")  # the page says when it was made
    assert from_replica(again) and now.sub("", text(again)) == now.sub("", text(first))


def test_books_of_a_month_that_was_dropped_are_read_on_the_replica(acme: Acme, replicated: Replicated) -> None:
    fetch_books(acme)
    acme.site.sql("insert into private.dropped_months (month, calls, reason) values (%s, 1, 'old')", DAY.replace(day=1))
    replicated.look()
    answer = acme.browser.get(f"/books?month={DAY:%Y-%m}")
    acme.site.sql("delete from private.dropped_months")
    assert from_replica(answer)


def test_who_changed_something_reads_it_at_once_and_others_go_on_with_the_replica(
    replicated: Replicated,
    acme: Acme,
) -> None:
    replicated.standby.hold()
    made = acme.ada.post("/projects", {"name": "made while the replica is held"})
    assert made.status_code == 201
    by_api, by_browser = acme.ada.get("/projects"), acme.browser.get("/projects")
    assert not from_replica(by_api) and not from_replica(by_browser)
    assert made.json["name"] in by_api.text and made.json["name"] in by_browser.text
    devs = acme.devs.get("/projects")
    assert from_replica(devs) and made.json["name"] not in devs.text
    replicated.standby.go_on()
    replicated.look()
    assert from_replica(acme.ada.get("/projects")) and made.json["name"] in acme.ada.get("/projects").text


def test_a_form_a_new_account_and_an_accepted_invitation_are_changes_too(
    replicated: Replicated,
    acme: Acme,
) -> None:
    address = acme.site.email("new")
    link = acme.ada.post("/invitations", {"email": address, "role": "developer"}).json["link"]
    replicated.look()
    replicated.standby.hold()
    acme.browser.post("/projects", name="by form")
    assert "by form" in acme.browser.get("/projects").text
    alone, invited = acme.site.browser(), acme.site.sign_up(email=address, invitation=link.rsplit("/", 1)[1])
    alone.post("/signup", email=acme.site.email(), password="correct horse")
    assert not from_replica(alone.get("/"))
    assert "by form" in invited.get("/projects").text


def test_a_removed_member_reads_nothing_from_a_replica_that_does_not_know(replicated: Replicated, acme: Acme) -> None:
    address = acme.site.email("leaver")
    link = acme.ada.post("/invitations", {"email": address, "role": "developer"}).json["link"]
    leaver = acme.site.sign_up(email=address, invitation=link.rsplit("/", 1)[1])
    replicated.look()
    assert from_replica(leaver.get("/projects")) and leaver.get("/projects").json["data"]
    replicated.standby.hold()
    assert acme.ada.call("DELETE", f"/members/{leaver.user['id']}").status_code == 204
    answer = leaver.get("/projects")
    assert not from_replica(answer) and answer.json["data"] == []


def test_an_analyst_reads_the_own_organization_on_the_replica(replicated: Replicated, acme: Acme) -> None:
    login = new_analyst(acme.site.dsn, acme.ada.organization["id"])
    replicated.standby.catch_up()
    there = make_conninfo(login, host=str(replicated.standby.server.socket))
    with psycopg.connect(there, autocommit=True) as ann:
        assert ann.execute("select pg_is_in_recovery()").fetchone() == (True,)
        rows = ann.execute("select distinct org_id::text from public.projects").fetchall()
        assert rows == [(acme.ada.organization["id"],)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ann.execute("select pg_last_wal_replay_lsn()")


def test_a_call_counts_from_the_moment_on_that_the_answer_names(replicated: Replicated, acme: Acme) -> None:
    replicated.standby.hold()
    replicated.watched.look()
    before = acme.ada.get("/usage")
    spend(acme.site, acme, upstream="openai")
    settled = datetime.now(UTC)
    lagging = acme.ada.get("/usage")
    assert lagging.json["totals"] == before.json["totals"]
    assert datetime.fromisoformat(lagging.headers[AS_OF]) < settled
    replicated.standby.go_on()
    replicated.look()
    known = acme.ada.get("/usage")
    assert known.json["totals"]["calls"] == before.json["totals"]["calls"] + 1
    assert datetime.fromisoformat(known.headers[AS_OF]) >= settled.replace(microsecond=0)


def test_a_page_says_as_of_when_it_is_older_than_just_now(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "what happened since then is not in these numbers yet"
    assert said not in text(acme.browser.get("/projects"))
    query = "update public.organizations set time_zone = 'Asia/Kolkata' where id = %s"
    acme.site.sql(query, acme.ada.organization["id"])
    replicated.look()
    moment = datetime.now(UTC) - transactions.LAGS - timedelta(seconds=1)
    monkeypatch.setattr(replicated.watched, "as_of", moment)
    times = [f"As of {moment.astimezone(zone):%H:%M:%S}: {said}" for zone in (ZoneInfo("Asia/Kolkata"), UTC)]
    assert times[0] in text(acme.browser.get("/projects"))
    assert times[1] in text(acme.eves.get("/projects"))


def end_connections_to_primary(acme: Acme) -> None:
    """End every session of pages on the primary at once."""
    with psycopg.connect(acme.site.admin, autocommit=True) as conn:
        conn.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name in ('spendai web', 'spendai auth')"
        )


def end_connections(replicated: Replicated) -> None:
    """End every session of pages on the replica at once."""
    replicated.standby.ask(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'spendai read'"
    )


@pytest.mark.parametrize("broken", ["web_session_load", "me", "project_overview"])
def test_a_page_is_asked_for_again_when_the_connection_to_the_primary_breaks(
    replicated: Replicated, acme: Acme, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(reading, "_watched", [])  # as without DATABASE_URL_READ, or with a replica that is not used
    real, ended = db.Transaction.rows, []

    def rows(tx: db.Transaction, function: str, *args: Any) -> list[dict[str, Any]]:
        if function == broken and not ended:
            ended.append(function)
            end_connections_to_primary(acme)
        return real(tx, function, *args)

    monkeypatch.setattr(db.Transaction, "rows", rows)
    answer = acme.browser.get("/projects")
    assert ended and answer.status_code == 200 and "chat" in answer.text


def test_a_page_that_writes_is_not_sent_twice_when_the_connection_breaks(
    replicated: Replicated, acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def rows(tx: db.Transaction, function: str, *args: Any) -> list[dict[str, Any]]:
        asked.append(function)
        if function == "project_create":
            end_connections_to_primary(acme)
        return real(tx, function, *args)

    real = db.Transaction.rows
    monkeypatch.setattr(db.Transaction, "rows", rows)
    assert acme.ada.post("/projects", {"name": "once"}).status_code == 503
    assert asked.count("project_create") == 1


def test_a_replica_that_goes_away_in_the_middle_of_a_request_is_not_noticed(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real, ended = db.Transaction.rows, []

    def rows(tx: db.Transaction, function: str, *args: Any) -> list[dict[str, Any]]:
        if function == "project_overview" and not ended:
            ended.append(function)
            end_connections(replicated)
        return real(tx, function, *args)

    monkeypatch.setattr(db.Transaction, "rows", rows)
    answer = acme.browser.get("/projects")
    assert ended and not from_replica(answer) and "chat" in answer.text
    assert [record.message.split(" sqlstate")[0] for record in caplog.records] == [
        "read again from the primary: projects.index"
    ]
    assert from_replica(acme.browser.get("/projects")), "the next request finds the replica again"


@pytest.mark.parametrize(("part", "number"), [("calls_page", 2), ("usage", 1)], ids=["rows", "about"])
def test_a_file_goes_on_without_the_replica_and_says_how_old_its_first_rows_are(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    number: int,
) -> None:
    for _ in range(2):
        spend(acme.site, acme, upstream="openai")
    replicated.look()
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
    monkeypatch.setattr(replicated.watched, "as_of", moment)
    monkeypatch.setattr(export, "PAGE_ROWS", 1)
    real, asked = db.Transaction.rows, []

    def rows(tx: db.Transaction, function: str, *args: Any) -> list[dict[str, Any]]:
        asked.append(function)
        if function == part and asked.count(part) == number:
            end_connections(replicated)
        return real(tx, function, *args)

    monkeypatch.setattr(db.Transaction, "rows", rows)
    answer = acme.browser.get("/calls.xlsx?tz=UTC")
    assert from_replica(answer) and asked.count(part) > number
    about = dict(load_workbook(BytesIO(answer.data))["About"].iter_rows(min_row=2, max_col=2, values_only=True))
    assert about["As of"].replace(tzinfo=UTC) == moment


def test_a_download_goes_on_when_the_replica_goes_away(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        spend(acme.site, acme, upstream="openai")
    replicated.look()
    monkeypatch.setattr(export, "PAGE_ROWS", 1)
    monkeypatch.setattr(export, "CHUNK_ROWS", 1)
    whole = acme.browser.get("/calls.csv").text
    answer = acme.browser.get("/calls.csv", buffered=False)
    parts = iter(answer.response)
    begun = next(parts)
    replicated.standby.server.stop()
    try:
        rest = b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    finally:
        replicated.standby.server.start()
    begun = begun if isinstance(begun, bytes) else begun.encode()
    assert (begun + rest).decode() == whole and whole.count("\n") >= 4


def test_long_sessions_of_analysts_end_on_a_replica_that_is_behind_because_of_them(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db, "LONGEST_ANALYSIS", timedelta(0))
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.01)
    login = new_analyst(acme.site.dsn, acme.ada.organization["id"])
    watched = replica_of(replicated.site.config)
    watched.look()
    replicated.look()
    replicated.standby.hold()
    acme.site.sql("select pg_logical_emit_message(true, 'test', 'what the replica lacks')")
    watched.look()
    watched._seen[0] = (watched._seen[0][0] - 2 * FAR, watched._seen[0][1])  # as if it had been held for so long
    watched.look()
    assert watched.problem == FAR_BEHIND
    with closing(psycopg.connect(make_conninfo(login, host=str(replicated.standby.server.socket)))) as ann:
        ann.execute("set idle_in_transaction_session_timeout = 0")
        watching = threading.Thread(target=reading._watch, args=[watched])
        watching.start()
        try:
            there = f"select 1 from pg_stat_activity where pid = {ann.info.backend_pid}"
            while replicated.standby.ask(there) is not None:
                pass
        finally:
            reading._stopping.set()
            watching.join()
            reading._stopping.clear()


def test_a_page_says_as_of_when_nobody_can_tell_whether_it_has_what_the_person_just_changed(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "what happened since then is not in these numbers yet"
    assert said not in text(acme.browser.get("/projects"))
    replicated.standby.hold()
    acme.browser.post("/projects", name="made before the primary went")
    monkeypatch.setattr(replicated.watched._primary, "ask", lambda: "cannot be reached")
    replicated.watched.look()  # as another worker than the one that noted the change
    assert not replicated.watched.primary_answers
    away = acme.browser.get("/projects")
    assert from_replica(away) and "made before the primary went" not in away.text
    assert said in text(away)


def test_a_page_that_finds_the_primary_away_in_the_middle_says_so_too(
    replicated: Replicated,
    acme: Acme,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replicated.look()
    real = db.begin

    def begin(pool: str, *words: Any, **named: Any) -> Any:
        if pool != "auth":
            return real(pool, *words, **named)
        replicated.watched.primary_answers = False  # as a look does meanwhile
        raise psycopg.OperationalError("the primary does not answer")

    monkeypatch.setattr(db, "begin", begin)
    answer = acme.browser.get("/projects")
    assert from_replica(answer) and "what happened since then" in text(answer)


def test_pages_are_served_while_the_primary_is_away(replicated: Replicated, acme: Acme) -> None:
    replicated.primary.stop()
    try:
        replicated.watched.look()
        assert not replicated.watched.primary_answers and replicated.watched.problem == ""
        for answer in (
            acme.browser.get("/"),
            acme.devs.get("/calls"),
            acme.ada.get("/usage"),
            acme.browser.get("/account"),
        ):
            assert from_replica(answer)
        assert acme.site.browser().get("/").status_code == 200, "the log-in form"
        assert "spend" in acme.browser.get("/spend.csv").headers["Content-Disposition"]
    finally:
        replicated.primary.start()
    replicated.watched.look()
    assert replicated.watched.primary_answers
