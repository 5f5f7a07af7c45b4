"""The Prices page says how old the list is and where it came from, and when it is time for the operator to act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
from conftest import Site
from seeded import Acme, spend, text

STALE = "has not been compared with its sources for more than 60 days"


def test_the_age_of_the_list_and_its_last_sync_are_shown_and_a_stale_one_is_pointed_out(site: Site) -> None:
    team = Acme(site)
    with psycopg.connect(site.dsn, autocommit=True) as conn:
        conn.execute(
            "insert into private.price_sync_runs (kind, as_of, source, counts, difference)"
            " values ('shipped', '2025-01-02', 'genai-prices 0.1', '{}', '[]')"
        )
        page = text(team.browser.get("/prices"))
        assert "Shipped with version of 2025-01-02 (genai-prices 0.1) · not synced since" in page and STALE in page
        conn.execute(
            "insert into private.price_sync_runs (at, source, counts, difference) values"
            " (%s, 'genai-prices 0.2.3, litellm 1.110.2', '{\"agreed\": 1221, \"compared\": 1280}', '[]')",
            [datetime.now(UTC) - timedelta(days=3, hours=1)],
        )
    page = text(team.devs.get("/prices"))
    assert "last sync 3 days ago (genai-prices 0.2.3 and litellm 1.110.2 agree on 1,221 of 1,280 prices)" in page
    assert STALE not in page


def test_a_model_without_a_price_that_was_called_this_week_is_pointed_out(site: Site) -> None:
    team = Acme(site)
    words = "1 model without a price was called in the last 7 days: gpt-99. flask prices sync --fetch"
    assert words not in text(team.browser.get("/prices"))
    spend(site, team, model="gpt-99", model_requested="gpt-99", usage={"prompt_tokens": 2, "completion_tokens": 0})
    page = text(team.browser.get("/prices"))
    assert words in page
