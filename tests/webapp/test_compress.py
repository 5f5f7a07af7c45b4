"""What is sent compressed, and what never is."""

from __future__ import annotations

import gzip
import re

import pytest
from conftest import Site
from seeded import Acme, spend

from webapp.config import ROOT

GZIP = {"Accept-Encoding": "br, gzip"}


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


@pytest.fixture(scope="module")
def busy(site: Site) -> Acme:
    """An organization with sixty end users."""
    acme = Acme(site)
    for n in range(60):
        spend(site, acme, n / 3, end_user=f"user-{n}", model=("gpt-4o", "gpt-4o-mini", "gpt-5")[n % 3])
    return acme


def test_a_page_reads_the_same_compressed_or_not(site: Site, team: Acme) -> None:
    spend(site, team)
    plain, packed = team.browser.get("/prices"), team.browser.get("/prices", headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.data) < len(plain.data) / 3
    assert "Content-Encoding" not in plain.headers and "Accept-Encoding" in plain.headers["Vary"]
    passing = re.compile(rb'name="csrf_token" value="[^"]*"|\?v=\w+|As of [-\d :]+')
    assert passing.sub(b"", gzip.decompress(packed.data)) == passing.sub(b"", plain.data)
    assert int(packed.headers["Content-Length"]) == len(packed.data)


@pytest.mark.parametrize("path", ["/", "/calls", "/prices", "/keys", "/projects", "/team", "/audit", "/settings"])
def test_every_page_is_small(busy: Acme, path: str) -> None:
    assert len(busy.browser.get(path, headers=GZIP).data) < 30_000


def test_static_files_are_compressed_and_known_again(team: Acme) -> None:
    path = "/static/vendor/plotly-basic.min.js"
    answer = team.browser.get(path, headers=GZIP)
    assert gzip.decompress(answer.data) == (ROOT / "webapp" / path[1:]).read_bytes()
    assert len(answer.data) < 450_000
    assert team.browser.get(path, headers=GZIP | {"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert "Content-Encoding" not in team.browser.get(path, headers={"Range": "bytes=0-99"} | GZIP).headers


def test_what_another_site_asked_for_is_not_compressed(team: Acme) -> None:
    """Its length would tell that site what stands in the page."""
    for site, encoding in (("cross-site", None), ("same-site", None), ("same-origin", "gzip"), ("none", "gzip")):
        answer = team.browser.get("/prices", headers=GZIP | {"Sec-Fetch-Site": site})
        assert answer.headers.get("Content-Encoding") == encoding, site


def test_the_api_and_streamed_exports_go_as_they_are(site: Site, team: Acme) -> None:
    spend(site, team)
    assert "Content-Encoding" not in team.ada.get("/prices", headers=GZIP).headers
    assert "Content-Encoding" not in team.browser.get("/calls.csv", headers=GZIP).headers
