"""``flask retention --archive`` and ``flask archive verify``: the dropped can be read, what was altered is found."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from commands import operator  # noqa: F401  # a fixture
from pyarrow import parquet as pq
from spending import spent

from webapp.archive import month as archive_month
from webapp.config import ROOT
from webapp.periods import months_later
from webapp.written import exact

OLD = datetime(2026, 5, 15, 12, tzinfo=UTC)
NAME = "2026-05"


@pytest.fixture
def aged(operator):  # noqa: F811
    """Two organizations with calls of May 2026; one of them unpriced, one corrected, and one of today."""
    people = operator.people()
    spent(people, at=OLD, end_user='ünï, "quoted"\nline', tags={"team": "web, mobile"})
    spent(people, at=OLD, model="gpt-nobody-knows")
    spent(people, "eve", at=OLD, usage=None, outcome="no_usage")
    spent(people)
    operator.conn.execute(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, details)"
        " select org_id, id, started_at, -0.000000000001, 'test', app.price_used(cost_lines)"
        " from public.usage_logs order by started_at, cost nulls last limit 1"
    )
    return people


def drop(operator, folder, *more):  # noqa: F811
    return operator.run("retention", "--months", "1", "--archive", str(folder), *more)


def test_a_month_is_written_read_back_and_then_dropped(operator, aged, tmp_path):  # noqa: F811
    rows = operator.rows(
        "select * from public.usage_logs where started_at < '2026-06-01Z' order by org_id, started_at, id"
    )
    done = drop(operator, tmp_path)
    assert done.exit_code == 0, done.output
    assert done.output == f"{NAME}: 3 calls dropped, archived in {tmp_path}\n"
    assert operator.rows("select count(*) as n from public.usage_logs")[0]["n"] == 1
    kept = pq.read_table(tmp_path / NAME / "calls.parquet").to_pylist()
    assert len(kept) == 3
    assert pq.read_metadata(tmp_path / NAME / "calls.parquet").num_row_groups == 1  # one a row takes 20 times the space
    for row, archived in zip(rows, kept, strict=True):
        for column in ("id", "org_id", "end_user", "cost", "cost_status", "tokens_in", "started_at", "stream", "model"):
            wanted = str(row[column]) if column in ("id", "org_id") else row[column]
            assert archived[column] == wanted, column
        for column in ("usage", "tags", "cost_lines"):
            assert (archived[column] and json.loads(archived[column], parse_float=Decimal)) == row[column]
    assert {row["organization"] for row in kept} == {"Acme", "Evil"}
    corrections = pq.read_table(tmp_path / NAME / "corrections.parquet").to_pylist()
    assert [row["delta"] for row in corrections] == [Decimal("-0.000000000001")]
    prices = pq.read_table(tmp_path / NAME / "prices.parquet").to_pylist()
    named = {line["price_id"] for row in rows for line in row["cost_lines"] or []} - {None}
    assert {row["id"] for row in prices} == named != set()
    cost = exact(sum((row["cost"] or Decimal(0) for row in rows), Decimal(0)))
    assert operator.run("archive", "verify", str(tmp_path)).output == f"{NAME}: good, 3 calls, {cost}\n"


def test_its_websocket_sessions_are_in_it_and_older_archives_have_none(operator, aged, tmp_path):  # noqa: F811
    operator.conn.execute(
        "insert into public.websocket_sessions"
        " (id, org_id, project_id, api_key_id, upstream, endpoint, tags, started_at, deadline_at)"
        """ select id, org_id, project_id, api_key_id, upstream, '/v1/realtime', '{"a": "b"}', started_at,"""
        " deadline_at from public.usage_logs where started_at < '2026-06-01Z' and end_user is not null"
    )
    left = operator.rows("select project_id, api_key_id, org_id from public.websocket_sessions")[0]
    operator.conn.execute(  # of a month that a version without sessions in archives has dropped
        "insert into public.websocket_sessions"
        " (id, org_id, project_id, api_key_id, upstream, endpoint, started_at, deadline_at)"
        " values (gen_random_uuid(), %(org_id)s, %(project_id)s, %(api_key_id)s, 'openai', '/v1/responses',"
        " '2026-04-30 12:00Z', '2026-04-30 13:00Z')", left,
    )  # fmt: skip
    operator.conn.execute("insert into private.dropped_months (month, calls, reason) values ('2026-04-01', 1, 'old')")
    assert drop(operator, tmp_path).exit_code == 0
    assert operator.rows("select count(*) as n from public.websocket_sessions")[0]["n"] == 0
    earlier, kept = pq.read_table(tmp_path / NAME / "sessions.parquet").to_pylist()
    assert f"{earlier['started_at']:%Y-%m}" == "2026-04"
    assert (kept["organization"], kept["started_at"], json.loads(kept["tags"])) == ("Acme", OLD, {"a": "b"})
    manifest = json.loads((tmp_path / NAME / "manifest.json").read_text())
    del manifest["files"]["sessions"]
    rewrite(tmp_path / NAME, files=manifest["files"], format=1)
    assert "sessions.parquet: is not in the manifest" in bad(operator, tmp_path)
    (tmp_path / NAME / "sessions.parquet").unlink()
    assert operator.run("archive", "verify", "--without-database", str(tmp_path)).exit_code == 0
    rewrite(tmp_path / NAME, format=2)
    assert "is not a manifest" in bad(operator, tmp_path)


def test_a_month_without_corrections_or_priced_calls_can_be_archived(operator, tmp_path):  # noqa: F811
    spent(operator.people(), at=OLD, usage=None, outcome="no_usage")
    assert drop(operator, tmp_path).exit_code == 0
    files = json.loads((tmp_path / NAME / "manifest.json").read_text())["files"]
    assert {name: facts["rows"] for name, facts in files.items()} == {
        "calls": 1, "corrections": 0, "fills": 0, "sessions": 0, "prices": 0,
    }  # fmt: skip
    assert operator.run("archive", "verify", str(tmp_path)).exit_code == 0


@pytest.mark.parametrize("file", ["calls.parquet", "manifest.json", "prices.parquet"])
def test_what_was_altered_or_is_gone_is_found(operator, aged, tmp_path, file):  # noqa: F811
    drop(operator, tmp_path)
    path = tmp_path / NAME / file
    good = path.read_bytes()
    for data in (
        good[:-3],
        good.replace(b"2026", b"2027", 1) if file == "manifest.json" else good[:50] + b"!" + good[51:],
        b"",
    ):
        path.write_bytes(data)
        done = operator.run("archive", "verify", str(tmp_path))
        assert done.exit_code == 1 and f"BAD {path}" in done.stderr
    path.unlink()
    assert operator.run("archive", "verify", str(tmp_path)).exit_code == 1


def rewrite(place, **changes):
    """Give a manifest other facts, and the hash that fits them."""
    path = place / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(manifest | {"hash": archive_month.hash_of(manifest)}))


def bad(operator, folder):  # noqa: F811
    """What `flask archive verify --without-database` says of a folder with one bad archive."""
    done = operator.run("archive", "verify", str(folder), "--without-database")
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.exception
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("BAD ")]
    return line


def test_a_folder_that_is_named_after_another_month_or_none_is_found(operator, aged, tmp_path):  # noqa: F811
    drop(operator, tmp_path)
    for name in ("2026-04", "2026-13", f"{NAME} (copy)", f".{NAME}.part"):
        shutil.copytree(tmp_path / NAME, tmp_path / name)
        assert bad(operator, tmp_path).startswith(f"BAD {tmp_path / name}: is the archive of {NAME}:"), name
        shutil.rmtree(tmp_path / name)


def test_a_parquet_file_that_the_manifest_does_not_name_is_found(operator, aged, tmp_path):  # noqa: F811
    drop(operator, tmp_path)
    shutil.copy(tmp_path / NAME / "calls.parquet", tmp_path / NAME / "calls (1).parquet")
    assert "calls (1).parquet: is not in the manifest" in bad(operator, tmp_path)


@pytest.mark.parametrize("text", [
    b"null", b"[]", b"7", b"{", b"[" * 100_000, b"\xff\xfe", b"[1]" + b" " * 1_000_000,
    b'{"format": 1, "month": "2026-05"}', b'{"format": 1, "files": ["calls", "corrections", "fills", "prices"]}',
], ids=lambda text: repr(text[:20]))  # fmt: skip
def test_what_is_no_manifest_is_said_in_one_line(operator, tmp_path, text):  # noqa: F811
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "manifest.json").write_bytes(text)
    assert "manifest.json: is " in bad(operator, tmp_path)


def test_a_manifest_that_leaves_facts_out_or_tells_others_is_found(operator, aged, tmp_path):  # noqa: F811
    """With a hash that fits: whoever has the folder alone can still compare each fact with the files."""
    drop(operator, tmp_path)
    files = json.loads((tmp_path / NAME / "manifest.json").read_text())["files"]
    calls = files["calls"]
    for facts in (
        {}, None, calls | {"rows": 4}, calls | {"rows": None}, calls | {"bytes": 1}, calls | {"sha256": "0"},
        calls | {"sums": {}}, calls | {"sums": calls["sums"] | {"cost": "0.1"}}, calls | {"sums": ["cost"]},
        calls | {"sums": calls["sums"] | {"cost": "much"}}, calls | {"sums": calls["sums"] | {"cost": None}},
        calls | {"sums": calls["sums"] | {"cost": "sNaN"}}, calls | {"rows": "\ud800"},
        {name: calls[name] for name in ("rows", "bytes", "sums")},
    ):  # fmt: skip
        rewrite(tmp_path / NAME, files=files | {"calls": facts})
        bad(operator, tmp_path)
    rewrite(tmp_path / NAME, files=files, month="\ud800")
    bad(operator, tmp_path)
    rewrite(tmp_path / NAME, month=NAME)
    assert operator.run("archive", "verify", str(tmp_path)).exit_code == 0


def test_a_manifest_that_was_made_anew_does_not_fit_the_database(operator, aged, tmp_path):  # noqa: F811
    drop(operator, tmp_path)
    rewrite(tmp_path / NAME, written_at="2026-06-01T00:00:00+00:00")
    done = operator.run("archive", "verify", str(tmp_path))
    assert done.exit_code == 1 and "is not the archive that was written when the month was dropped" in done.stderr
    alone = operator.run("archive", "verify", str(tmp_path), "--without-database")
    assert alone.exit_code == 0 and alone.output.startswith(f"{NAME}: good, 3 calls")


def test_a_dropped_month_that_is_not_in_the_folder_is_named(operator, aged, tmp_path):  # noqa: F811
    drop(operator, tmp_path)
    shutil.move(tmp_path / NAME, tmp_path / "2026-04")
    done = operator.run("archive", "verify", str(tmp_path))
    assert done.exit_code == 1 and f"not in {tmp_path}: {NAME}" in done.stderr


def test_nothing_is_dropped_when_the_disk_is_full(operator, aged, tmp_path):  # noqa: F811
    """The files of this process may not grow: what a full disk does to a write, too."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        done = drop(operator, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.exit_code == 1 and f"{NAME} stays: {tmp_path / NAME}: cannot be written" in done.stderr
    assert operator.rows("select count(*) as n from public.usage_logs")[0]["n"] == 4
    assert os.listdir(tmp_path) == []
    assert drop(operator, tmp_path).exit_code == 0


def test_an_archive_of_other_rows_is_not_overwritten(operator, aged, tmp_path):  # noqa: F811
    drop(operator, tmp_path)
    spent(aged, at=next_noon())
    shutil.copytree(tmp_path / NAME, tmp_path / "2026-06")
    rewrite(tmp_path / "2026-06", month="2026-06")
    done = drop(operator, tmp_path)
    assert done.exit_code == 1 and "2026-06 stays" in done.stderr and "move it away" in done.stderr
    assert operator.rows("select count(*) as n from public.usage_logs")[0]["n"] == 2


def next_noon() -> datetime:
    first = months_later(OLD.date().replace(day=1), 1)
    return datetime(first.year, first.month, 2, 12, tzinfo=UTC)


def test_a_month_that_changes_while_it_is_detached_is_written_again(operator, aged, tmp_path, monkeypatch):  # noqa: F811
    from webapp.commands import retention

    detach = retention._detach

    def change_first(conn, *more):
        operator.conn.execute(
            "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)"
            " select org_id, id, started_at, 1, 'late' from public.usage_logs order by started_at limit 1"
        )
        detach(conn, *more)

    monkeypatch.setattr(retention, "_detach", change_first)
    assert drop(operator, tmp_path).exit_code == 0
    assert pq.read_metadata(tmp_path / NAME / "corrections.parquet").num_rows == 2
    assert operator.run("archive", "verify", str(tmp_path)).exit_code == 0


def test_a_month_that_is_being_written_is_in_no_query(operator, aged, tmp_path, monkeypatch):  # noqa: F811
    """Nor one whose writing was interrupted: its calls are live, and DuckDB's * finds folders with a dot as well."""
    verify, found = archive_month.verify, []

    def look_first(place, month):
        found.append(duckdb.execute(f"from glob('{tmp_path}/*/*.parquet')").fetchall())
        return verify(place, month)

    monkeypatch.setattr(archive_month, "verify", look_first)
    assert drop(operator, tmp_path).exit_code == 0
    assert found[0] == [] and len(found[-1]) == 5
    assert os.listdir(tmp_path) == [NAME]


def test_the_query_of_the_documentation_adds_up_archive_and_live_months(operator, aged, tmp_path):  # noqa: F811
    """docs/analysts.md has the DuckDB query; live months come from the view calls, here as a table of its rows."""
    began = OLD.replace(day=1, hour=1)  # in New York it is still the month before
    for name, at in (("ada", began), ("ada", None), ("eve", OLD)):  # all other calls are of the sandbox
        spent(aged, name, at=at, upstream="openai")
    mine = "from public.usage_logs u join public.organizations o on o.id = u.org_id"
    mine += " where o.name = 'Acme' and u.upstream = 'openai'"
    total = operator.rows(f"select sum(cost) as cost {mine}")[0]["cost"]
    drop(operator, tmp_path)
    text = (ROOT / "docs/analysts.md").read_text()
    query = re.search(r"```duckdb\n(.*?)```", text, re.DOTALL)[1]
    live = operator.rows(f"select started_at, model, cost {mine}")
    db = duckdb.connect()
    db.execute("set TimeZone = 'America/New_York'")
    db.execute(
        "create schema spendai; create table spendai.calls (started_at timestamptz, model text, cost decimal(20, 12))"
    )
    for row in live:
        db.execute("insert into spendai.calls values (?, ?, ?)", [row["started_at"], row["model"], row["cost"]])
    found = db.execute(query.replace("archive/", f"{Path(tmp_path)}/")).fetchall()
    assert sum((row[-1] for row in found if row[-1] is not None), Decimal(0)) == total
    # A month of a version whose calls had fewer columns, whichever file DuckDB opens first.
    files = re.search(r"read_parquet\(.*?\)", query)[0].replace("archive/", f"{Path(tmp_path)}/")
    for older in ("2020-01", "2099-01"):
        (tmp_path / older).mkdir()
        earlier = pq.read_table(tmp_path / NAME / "calls.parquet").drop_columns(["session_id"])
        pq.write_table(earlier, tmp_path / older / "calls.parquet")
    assert db.execute(f"select count(session_id), count(*) from {files}").fetchone() == (0, 3 * earlier.num_rows)
    assert {f"{row[0]:%Y-%m}" for row in found} == {
        NAME,
        *(f"{row['started_at'].astimezone(UTC):%Y-%m}" for row in live),
    }
