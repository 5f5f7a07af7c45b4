"""Addresses that only take forms lead to the page of the form, as after a refusal or a log-in in between."""

from __future__ import annotations

import re
from uuid import uuid4

from conftest import Site
from seeded import Acme

ALONE = ("/logout", "/theme")  # forms of every page


def test_every_address_of_a_form_leads_to_its_page(site: Site) -> None:
    team, rules = Acme(site), list(site.app.url_map.iter_rules())
    pages = {rule.rule for rule in rules if "GET" in rule.methods}
    forms = [rule.rule for rule in rules if rule.rule not in pages and not rule.rule.startswith("/api/")]
    assert len(forms) > 10
    for rule in (rule for rule in forms if rule not in ALONE):
        path = re.sub("<month>", "2026-10", re.sub("<uuid:[a-z_]+>", str(uuid4()), rule))
        answer = team.browser.get(f"{path}?period=7")
        assert answer.status_code == 303 and answer.location.endswith("?period=7"), rule
        page, _, _ = answer.location.partition("?")
        assert path.startswith(f"{page}/") and team.browser.get(page).status_code in (200, 404), rule


def test_an_address_without_a_page_above_it_only_takes_forms(site: Site) -> None:
    team = Acme(site)
    for path in ALONE:
        assert team.browser.get(path).status_code == 405
    assert team.ada.get("/keys/1/rotate").status_code in (404, 405), "the API leads nowhere"


def test_a_refused_form_shows_its_page_under_the_address_of_the_page(site: Site) -> None:
    team = Acme(site)
    refused = team.browser.post("/team/invitations", email="nobody", role="developer")
    assert refused.status_code == 400 and 'data-reload-goes-to="/team"' in refused.text
    focused = re.findall("<[^>]* autofocus[^>]*>", refused.text)
    assert len(focused) == 1 and 'name="email"' in focused[0] and 'aria-invalid="true"' in focused[0]
    known = team.browser.post("/projects?period=7", name="")
    assert known.status_code == 400 and "data-reload-goes-to" not in known.text, "a page has this address"
