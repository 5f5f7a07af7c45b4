"""``flask retention``: calls of old months are dropped; daily totals stay, and months with a call in doubt."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from commands import operator  # noqa: F401  # a fixture
from ledgers import add_open_call
from pooler import Pooler
from psycopg.conninfo import make_conninfo
from spending import spent, uuid7
from stack import SECRETS

from webapp import create_app
from webapp.commands import retention
from webapp.config import load
from webapp.postgres.cluster import SUPERUSER

VIEWS = ("spend_daily", "spend_by_project", "spend_by_model", "spend_by_key", "spend_by_end_user", "spend_by_tag")
SUMS = "select day, calls, tokens_in, cost, cost_corrected, error_calls from public.{} order by 1, 2, 3, 4"
CALLS = "select count(*) as calls from public.usage_logs"
MONTHS = "select to_char(month, 'YYYY-MM') as month, calls from private.dropped_months order by 1"


def months_ago(months: int) -> datetime:
    """The 15th of a month, so many before this one."""
    day = datetime.now(UTC).replace(day=15, hour=12, minute=0, second=0, microsecond=0)
    for _ in range(months):
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=15)
    return day


@pytest.fixture
def aged(operator):  # noqa: F811
    """Calls of this month and of three, five and six months ago; one of them corrected."""
    people = operator.people()
    for months in (0, 3, 5, 6):
        spent(people, at=months_ago(months) if months else None, end_user=f"u{months}", tags={"team": "web"})
    operator.conn.execute(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)"
        " select org_id, id, started_at, 0.5, 'test' from public.usage_logs order by started_at limit 1"
    )
    return people


def sums(operator):  # noqa: F811
    return {view: operator.rows(SUMS.format(view)) for view in VIEWS}


def test_old_calls_go_their_sums_stay_and_it_is_written_down(operator, aged):  # noqa: F811
    before = sums(operator)
    done = operator.run("retention", "--months", "4", "--reason", "policy 7")
    assert done.exit_code == 0, done.output
    gone = [f"{months_ago(months):%Y-%m}" for months in (6, 5)]
    assert done.output.splitlines() == [f"{month}: 1 call dropped" for month in gone]
    assert sums(operator) == before
    assert operator.rows(CALLS)[0]["calls"] == 2
    assert operator.rows(MONTHS) == [{"month": month, "calls": 1} for month in gone]
    lines = operator.rows("select details from public.audit_log where action = 'calls.dropped' order by at")
    assert [line["details"] for line in lines] == [{"month": month, "calls": 1, "reason": "policy 7"} for month in gone]
    assert operator.rows("select * from app.totals_differences('2000-01-01')") == []
    again = operator.run("retention", "--months", "4")
    assert (again.exit_code, again.output) == (0, "no calls are older than 4 whole months\n")


def test_a_dry_run_only_says_what_would_go(operator, aged, tmp_path):  # noqa: F811
    done = operator.run("retention", "--months", "5", "--dry-run", "--archive", str(tmp_path / "archive"))
    assert done.output == f"{months_ago(6):%Y-%m}: 1 call would be dropped\n"
    assert operator.rows(CALLS)[0]["calls"] == 4
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_write_into_one_folder(operator, aged, tmp_path):  # noqa: F811
    folder = tmp_path / "archive"
    folder.mkdir()
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    done = operator.run("retention", "--months", "4", "--archive", str(folder))
    assert (done.exit_code, done.output) == (
        1, f"Error: another flask retention is writing to {folder}: run this again later\n",
    )  # fmt: skip
    assert operator.rows(CALLS)[0]["calls"] == 4
    os.close(other)
    assert operator.run("retention", "--months", "4", "--archive", str(folder)).exit_code == 0
    assert operator.rows(CALLS)[0]["calls"] == 2


@pytest.mark.parametrize("words", [("retention", "--months", "9999999999"), ("prices", "undo", "9" * 20)])
def test_a_number_that_is_too_large_is_refused_as_typed_wrongly(operator, words):  # noqa: F811
    done = operator.run(*words)
    assert done.exit_code == 2 and "is not in the range" in done.output


def test_a_month_with_a_call_in_doubt_stays(operator, aged):  # noqa: F811
    add_open_call(aged, "ada", started_at=months_ago(5), deadline_at=months_ago(5))
    done = operator.run("retention", "--months", "4")
    assert done.exit_code == 1
    assert f"{months_ago(5):%Y-%m}: 2 calls kept, of which 1 in doubt" in done.output
    assert "flask calls in-doubt" in done.output
    assert [row["month"] for row in operator.rows(MONTHS)] == [f"{months_ago(6):%Y-%m}"]


def test_it_goes_on_where_it_was_cut_off(operator, aged):  # noqa: F811
    """Killed after the month was taken out of usage_logs and before it was dropped."""
    month = months_ago(6)
    operator.conn.execute(
        f"alter table public.usage_logs detach partition private.usage_logs_{month:%Y_%m} concurrently"
    )
    done = operator.run("retention", "--months", "5")
    assert done.output == f"{month:%Y-%m}: 1 call dropped\n"
    assert operator.rows(MONTHS) == [{"month": f"{month:%Y-%m}", "calls": 1}]


def test_the_end_of_a_call_of_a_dropped_month_that_comes_again_changes_nothing(operator, aged):  # noqa: F811
    before = sums(operator)
    operator.run("retention", "--months", "4")
    at = months_ago(6)
    message = aged.open_message("ada", id=str(uuid7(at)), started_at=at.isoformat())
    assert aged.settle_calls(aged.settle_message("ada", message)) == [{"n": 0, "outcome": "already"}]
    assert sums(operator) == before


def test_a_query_that_holds_a_month_is_said_to_be_in_the_way(operator, aged, monkeypatch):  # noqa: F811
    monkeypatch.setattr(retention, "PATIENCE", 0.05)
    with operator.conn.transaction():
        operator.conn.execute("select from public.usage_logs")
        done = operator.run("retention", "--months", "5")
    assert done.exit_code == 1 and "has been running for 0.05 seconds: let it end, or end it" in done.stderr
    assert operator.run("retention", "--months", "5").exit_code == 0


def test_no_month_begins_to_leave_while_calls_are_priced_again(operator, aged, own_dsn, monkeypatch):  # noqa: F811
    """What is booked on a call whose month has left usage_logs meanwhile would be in no total."""
    monkeypatch.setattr(retention, "PATIENCE", 0.05)
    with psycopg.connect(own_dsn) as other:
        other.execute("select from app.reprice('2000-01-01', '2100-01-01', 'new prices', false)")
        done = operator.run("retention", "--months", "4")
        assert done.exit_code == 1 and "has been running for 0.05 seconds" in done.stderr
        assert operator.rows("select from app.retention_due(4) where state <> 'attached'") == []
    assert operator.run("retention", "--months", "4").exit_code == 0


def test_a_month_that_a_query_holds_when_it_leaves_is_no_difference_of_sums(operator, aged, own_dsn, monkeypatch):  # noqa: F811
    monkeypatch.setattr(retention, "PATIENCE", 0.05)
    with psycopg.connect(own_dsn) as other:
        other.execute("select from public.usage_logs")
        operator.run("retention", "--months", "5")
        assert operator.rows("select state from app.retention_due(5)") == [{"state": "detaching"}]
        assert operator.rows("select * from app.totals_differences('2000-01-01')") == []
    assert operator.run("retention", "--months", "5").exit_code == 0
    assert operator.rows("select * from app.totals_differences('2000-01-01')") == []


def test_nothing_of_it_stays_in_the_connection_of_a_pooler(operator, aged, own_dsn, cluster, tmp_path):  # noqa: F811
    admin = make_conninfo(own_dsn, user=SUPERUSER)
    with Pooler(cluster, admin, default_pool_size="1") as pooler:
        through = pooler.through(own_dsn)
        settings = SECRETS | {"DATABASE_URL": through, "SPENDAI_HOME": str(tmp_path / "home")}
        done = create_app(load(settings)).test_cli_runner().invoke(args=["retention", "--months", "5"])
        assert done.exit_code == 0, done.output
        with psycopg.connect(through, prepare_threshold=None) as conn:
            query = "select name from pg_settings where source = 'session' and name <> 'DateStyle'"  # PgBouncer sets it
            assert conn.execute(query).fetchall() == []


@pytest.mark.parametrize("months", ["0", "-1", "many"])
def test_this_month_always_stays(operator, aged, months):  # noqa: F811
    assert operator.run("retention", "--months", months).exit_code == 2
    assert operator.rows(CALLS)[0]["calls"] == 4


def test_nobody_but_the_operator_may_drop_anything(operator, aged):  # noqa: F811
    with aged.as_("ada"):
        for statement in ("select app.retention_drop('2026-01-01', 'x', null)", "select * from app.retention_due(1)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), operator.conn.transaction():
                operator.conn.execute(statement)


def test_with_labels_the_end_users_and_tags_of_dropped_months_are_forgotten_too(operator, aged):  # noqa: F811
    before = sums(operator)
    assert operator.run("retention", "--months", "4").exit_code == 0
    assert operator.run("retention", "--months", "4", "--labels", "--dry-run").exit_code == 0
    query = """select distinct end_user from public.spend_by_end_user
        where end_user is not null and day < now() - interval '1 week' order by 1"""  # u6 has a correction of today
    assert [row["end_user"] for row in operator.rows(query)] == ["u3", "u5", "u6"]
    done = operator.run("retention", "--months", "4", "--labels")
    assert done.exit_code == 0, done.output
    assert [row["end_user"] for row in operator.rows(query)] == ["(other)", "u3"]
    assert sums(operator) == before
    assert operator.rows("select * from app.totals_differences('2000-01-01')") == []
