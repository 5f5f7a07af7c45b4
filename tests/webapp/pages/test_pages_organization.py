"""The organization as a whole: export of everything, handing over, deletion with a grace."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from conftest import Browser, Site
from seeded import Acme, spend, text

from webapp.pages import organization_export


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def exported(browser: Browser) -> tuple[dict[str, list[dict[str, str]]], dict[str, Any]]:
    """File → rows, and the manifest, of an export whose counts and hashes were checked."""
    answer = browser.get("/settings/export.zip")
    assert answer.status_code == 200 and answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as found:
        assert found.testzip() is None
        manifest = json.loads(found.read("manifest.json"))
        contents = {file["name"]: found.read(file["name"]) for file in manifest["files"]}
        assert {*contents, "manifest.json"} == set(found.namelist())
    rows = {name: list(csv.DictReader(io.StringIO(data.decode()))) for name, data in contents.items()}
    for file in manifest["files"]:
        assert hashlib.sha256(contents[file["name"]]).hexdigest() == file["sha256"]
        assert len(rows[file["name"]]) == file["rows"]
        for column, total in file["sums"].items():
            assert sum(Decimal(row[column] or 0) for row in rows[file["name"]]) == Decimal(total)
    return rows, manifest


def test_everything_is_exported_with_a_manifest_that_checks_it(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_export, "PAGE", 2)  # so that a few rows take several pages
    calls = {str(spend(site, team, days=n / 100)) for n in range(5)}
    site.sign_up("eve")
    spend(site, Acme(site))
    rows, manifest = exported(team.browser)
    assert {row["id"] for row in rows["usage_logs.csv"]} == calls
    sums = {file["name"]: file["sums"] for file in manifest["files"]}
    assert Decimal(sums["usage_logs.csv"]["cost"]) == Decimal("0.00225") == Decimal(sums["daily_totals.csv"]["cost"])
    assert [row["prefix"] for row in rows["api_keys.csv"]] == [team.key["prefix"]]
    assert [row["email"] for row in rows["members.csv"]] == [team.ada.email]
    assert [row["name"] for row in rows["projects.csv"]] == ["chat"]
    assert rows["audit_log.csv"][-1]["action"] == "organization.exported"
    assert rows["model_prices.csv"] == [], "list prices are not the organization's"
    assert manifest["organization"] == {"id": team.ada.organization["id"], "name": "Acme"} and manifest["sandbox"]
    own = {team.ada.organization["id"]}
    assert all({row["org_id"] for row in found} <= own for name, found in rows.items() if name != "organizations.csv")
    assert team.key["key"] not in json.dumps(rows)
    assert "exported everything of the organization" in text(team.browser.get("/audit"))


def test_only_admins_export_hand_over_and_delete(team: Acme) -> None:
    for path in ("/settings/export.zip", "/settings/hand-over", "/settings/delete"):
        assert team.devs.get(path).status_code == 403
    dev = team.dev.user["id"]
    assert team.devs.post("/settings/hand-over", shown="/team", member=dev).status_code == 403
    assert team.devs.post("/settings/delete", shown="/team", name="Acme").status_code == 403
    assert team.devs.post("/settings/keep", shown="/team").status_code == 403
    assert "Export everything" not in text(team.devs.get("/settings"))


def test_an_admin_hands_over_and_can_then_leave(team: Acme) -> None:
    assert "Nobody else belongs to" in text(team.eves.get("/settings/hand-over"))
    page = team.browser.get("/settings/hand-over")
    assert team.ada.email not in page.text.partition("<main")[2]
    dev = team.dev.user["id"]
    assert f'<option value="{dev}">' in team.browser.get("/settings/hand-over").text
    for stranger, status in ((team.eve.user["id"], 404), ("nobody", 400), (team.ada.user["id"], 409)):
        assert team.browser.post("/settings/hand-over", member=stranger).status_code == status
    assert team.browser.post("/settings/hand-over", member=dev).location == "/team"
    assert f"{team.dev.email} is an admin now, and you are a developer." in text(team.browser.get("/team"))
    assert team.browser.get("/settings/hand-over").status_code == 403
    assert "Make invitation link" in text(team.devs.get("/team"))
    assert f"handed the organization over to {team.dev.email}" in text(team.devs.get("/audit"))
    assert "You can no longer see its numbers" in text(team.browser.get(f"/team/{team.ada.user['id']}/remove"))


def test_deletion_asks_for_the_name_says_when_and_is_taken_back(site: Site, team: Acme) -> None:
    wrong = team.browser.post("/settings/delete", name="acme")
    assert wrong.status_code == 400 and "This is not the name of the organization." in text(wrong)
    assert "deleted for good" not in text(team.browser.get("/projects"))
    assert team.browser.post("/settings/delete", name="Acme").location == "/settings"
    for browser, who in ((team.browser, "Settings can take that back."), (team.devs, "An admin can take that back.")):
        page = text(browser.get("/projects"))
        assert "Acme is deleted for good after" in page and "its keys work until then" in page and who in page
    assert site.may_call(team.key)
    assert "deleted for good" not in text(team.eves.get("/projects"))
    assert team.browser.post("/settings/keep", shown="/settings").location == "/settings"
    assert "The organization stays." in text(team.browser.get("/settings"))
    assert "deleted for good" not in text(team.devs.get("/projects"))
    log = text(team.browser.get("/audit"))
    assert "asked to delete the organization after" in log and "took the deletion of the organization back" in log
