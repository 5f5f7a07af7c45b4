"""/healthz and /readyz: what a load balancer and a monitor ask."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Site

from webapp import create_app
from webapp.postgres import migrations

LAST = """
select 'drop table private.usage_logs_' || to_char(now() at time zone 'utc' + make_interval(months => n), 'YYYY_MM')
from generate_series(%s, 24) n
"""


@pytest.fixture
def site(site: Site, monkeypatch: Any) -> Site:
    """With a ledger that has nothing left to replay."""
    monkeypatch.setattr(site.app.gateway, "ledger", SimpleNamespace(replayed=True, refusing=False))
    return site


def test_a_process_that_lives_says_so(site: Site) -> None:
    assert site.nobody().client.get("/healthz").json == {"status": "ok", "service": "spendai"}


def test_it_is_ready_without_a_word_while_months_lie_ahead(site: Site) -> None:
    answer = site.nobody().client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_database_that_is_newer_is_served_with_a_warning_and_an_older_one_not(site: Site, monkeypatch: Any) -> None:
    site.sql("insert into private.schema_files values ('db/migrations/9999_new.sql', 'x')")
    newer = site.nobody().client.get("/readyz")
    site.sql("delete from private.schema_files where path = 'db/migrations/9999_new.sql'")
    assert newer.status_code == 200 and "9999_new.sql" in newer.json["warning"]
    monkeypatch.setattr(migrations, "newest", lambda: "db/migrations/9999_new.sql")
    older = SimpleNamespace(app=create_app(site.config))
    older.app.gateway.ledger = SimpleNamespace(replayed=True, refusing=False)
    answer = older.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_unavailable")


def test_it_warns_while_there_is_still_time_to_make_months(site: Site) -> None:
    answers = {}
    for first in (3, 2):  # the first month from now on that is missing: two are ready, then one
        for (statement,) in site.sql(LAST, first):
            if site.sql("select to_regclass(%s)", statement.removeprefix("drop table "))[0][0]:
                site.sql(statement)
        answers[first] = site.nobody().client.get("/readyz")
    for months in range(25):
        site.sql("select app.ensure_partition((now() + make_interval(months => %s))::date)", months)
    assert [answer.status_code for answer in answers.values()] == [200, 200]
    assert "warning" not in answers[3].json
    assert "flask migrate" in answers[2].json["warning"]
