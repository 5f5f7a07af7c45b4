"""/metrics: who may read it, and what it says while the database is away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import Site
from werkzeug.test import TestResponse

from webapp.config import ConfigError, load
from webapp.metrics import installation

TOKEN = "a-token-for-metrics"


def ask(site: Site, address: str = "127.0.0.1", host: str = "127.0.0.1:8000", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.app.test_client().get(
        "/metrics", headers={"Host": host} | named, environ_overrides={"REMOTE_ADDR": address}
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
def test_a_process_on_this_machine_needs_no_token(site: Site, address: str, host: str) -> None:
    answer = ask(site, address, host)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert "# TYPE spendai_calls_total counter" in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("address", "host", "headers"),
    [
        ("10.0.0.9", "127.0.0.1:8000", {}),
        ("192.0.2.1", "localhost", {"X_Forwarded_For": "127.0.0.1"}),
        ("", "localhost", {}),
        ("127.0.0.1", "localhost", {"X_Forwarded_For": "127.0.0.1"}),
        ("127.0.0.1", "localhost", {"X_Forwarded_Proto": "https"}),
        ("127.0.0.1", "localhost", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", "localhost", {"X_Real_IP": "127.0.0.1"}),
        ("127.0.0.1", "localhost", {"Via": "1.1 proxy"}),
        ("127.0.0.1", "spend.acme.test", {}),
        ("127.0.0.1", "localhost.evil.test:8000", {}),
    ],
)
def test_whoever_comes_from_elsewhere_is_refused(site: Site, address: str, host: str, headers: dict[str, str]) -> None:
    answer = ask(site, address, host, **headers, Authorization="Bearer ")
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "metrics_forbidden"


def test_the_token_opens_it_from_anywhere_and_nothing_else_does(site: Site) -> None:
    guarded = site.with_settings(metrics_token=TOKEN)
    assert ask(guarded, "10.0.0.9", "spend.acme.test", Authorization=f"Bearer {TOKEN}").status_code == 200
    assert ask(guarded).status_code == 200
    for sent in ("", f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"):
        answer = ask(guarded, "10.0.0.9", Authorization=sent)
        assert (answer.status_code, answer.json["error"]["code"]) == (401, "invalid_metrics_token")


def test_a_short_token_stops_the_start(tmp_path: object) -> None:
    with pytest.raises(ConfigError, match="METRICS_TOKEN"):
        load({"SPENDAI_HOME": str(tmp_path), "METRICS_TOKEN": "short"})


def test_while_the_database_is_away_it_says_so_and_tells_the_rest(site: Site) -> None:
    away = site.with_settings(database_url="postgresql://owner@127.0.0.1:1/spendai", embedded=False)
    text = ask(away).text
    assert "\nspendai_database_up 0.0\n" in text and "\nspendai_open_calls " in text
    assert [name for name, _ in installation.GAUGES.values() if f"\n{name}" in text.replace("\n# ", "")] == []


def test_it_says_how_many_workers_there_should_be_and_speaks_of_a_replica_only_where_one_is_set(site: Site) -> None:
    alone = ask(site.with_settings(workers=7)).text
    assert "\nspendai_workers_wanted 7.0\n" in alone and "spendai_replica_workers" not in alone
    assert "\nspendai_replica_workers 0.0\n" in ask(site.with_settings(database_url_read=site.dsn)).text


def test_it_says_how_much_room_the_disk_of_the_spool_has_also_before_that_is_made(site: Site, tmp_path: Path) -> None:
    roomy = shutil.disk_usage(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: roomy._replace(free=123 if path == tmp_path else 0))
        text = ask(site.with_settings(home=tmp_path / "not" / "yet")).text
    assert "\nspendai_home_free_bytes 123.0\n" in text


def test_the_database_is_asked_once_in_a_while(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connect = installation.db.WatchedConnection.connect
    monkeypatch.setattr(
        installation.db.WatchedConnection, "connect", lambda *a, **k: asked.append("") or connect(*a, **k)
    )
    fresh = site.with_settings()
    texts = [ask(fresh).text for _ in range(3)]
    assert all("\nspendai_database_up 1.0\n" in text and "\nspendai_unpriced_calls " in text for text in texts)
    assert len(asked) == 1
