"""Calls in a browser: pages of them, one with its receipt, the export."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import Site
from seeded import Acme, leave_open, spend, table, text

from webapp import cursors


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_a_receipt_shows_every_line_and_the_sum_to_the_last_digit(site: Site, team: Acme) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 601}}
    call = spend(site, team, usage=usage)
    page = text(team.devs.get(f"/calls/{call}"))
    assert "input text 399 $0.15 per 1,000,000 standard" in page and "$0.00005985" in page
    assert "cached text 601 $0.075 per 1,000,000 standard" in page and "$0.000045075" in page
    assert "output text 500 $0.60 per 1,000,000 standard" in page and "$0.0003" in page
    assert "Cost of the call $0.000404925" in page
    assert "sandbox: play money" in page


def test_what_clients_sent_cannot_turn_the_direction_of_a_page(site: Site, team: Acme) -> None:
    call = spend(site, team, tags={"team": "web\u202etxt"}, end_user="eve\u2066\x9bada")
    for path in (f"/calls/{call}", "/calls", "/?by=tag&tag_name=team", "/?by=end_user"):
        page = team.devs.get(path).text
        assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]", page), path
    assert "web\\u202etxt" in team.devs.get("/calls").text


def test_a_region_is_a_line_that_says_which_part_of_the_tokens_it_is(site: Site, team: Acme) -> None:
    usage = {
        "input_tokens": 10_000,
        "output_tokens": 500,
        "input_tokens_details": {"cached_tokens": 1000},
        "region": "eu",
    }
    page = text(team.devs.get(f"/calls/{spend(site, team, model='gpt-6.1-sol', usage=usage)}"))
    assert "regional processing eu tokens of $0.0231 +10 % standard" in page
    assert "Cost of the call $0.02541" in page
    unknown = spend(site, team, model="gpt-6.1-sol", usage=usage | {"region": "mars"})
    assert "regional processing mars tokens of $0.0231 no price" in text(team.devs.get(f"/calls/{unknown}"))


@pytest.mark.parametrize(("changes", "words"), [
    ({"outcome": "error", "usage": None, "status_code": 500}, "OpenAI bills nothing for a call that failed."),
    ({"outcome": "no_usage", "usage": None, "status_code": 504}, "What it cost is not known, so it is in no sum."),
    ({"model": "nobody-knows-it", "model_requested": "nobody-knows-it"}, "no price for this model"),
    ({"model": None, "model_requested": None, "method": "GET", "usage": None}, "This call is free."),
])  # fmt: skip
def test_a_call_without_an_ordinary_cost_says_why(site: Site, team: Acme, changes: dict, words: str) -> None:
    call = spend(site, team, **changes)
    page = text(team.browser.get(f"/calls/{call}"))
    assert words in page
    assert ("Tokens none reported" in page) == ("usage" in changes)
    assert team.browser.get("/calls").status_code == 200


def test_a_call_shows_what_is_inconsistent_in_its_usage(site: Site, team: Acme) -> None:
    details = {"cached_tokens": 500}
    call = spend(site, team, usage={"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details})
    page = text(team.devs.get(f"/calls/{call}"))
    assert "is inconsistent: cached_tokens (500) is more than prompt_tokens (100)" in page
    plain = spend(site, team, usage={"prompt_tokens": 100, "completion_tokens": 5})
    assert "inconsistent" not in team.devs.get(f"/calls/{plain}").text


def test_a_count_under_an_unknown_name_is_a_line_without_a_price(site: Site, team: Acme) -> None:
    usage = {"input_tokens": 100, "output_tokens": 5, "input_tokens_details": {"video_tokens": 40}}
    call = spend(site, team, usage=usage)
    page = text(team.devs.get(f"/calls/{call}"))
    assert "no price for a part of it" in page
    assert "input_tokens_details.video_tokens 40 no price" in page


def test_pages_hold_every_call_once_newest_first(site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.pages.calls.PAGE", 3)
    made = [str(spend(site, team, days=n / 1000)) for n in range(8)]
    path, seen = "/calls", []
    while path:
        page = team.browser.get(path).text
        seen += re.findall(r'href="/calls/([0-9a-f-]{36})["?]', page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        path = more and more[1].replace("&amp;", "&")
    assert seen == made
    later = cursors.write(datetime(2030, 1, 1, tzinfo=UTC), UUID(made[0]))
    assert "« Newest" in text(team.browser.get(f"/calls?cursor={later}"))


def test_filters_narrow_the_list_and_the_export_alike(site: Site, team: Acme) -> None:
    spend(site, team)
    spend(site, team, model="gpt-4o")
    spend(site, team, outcome="error", usage=None, status_code=429)
    for words, count in (
        ("model=gpt-4o", 1),
        ("status=error", 1),
        ("status=200", 2),
        ("cost_status=priced", 2),
        ("", 3),
    ):
        page = team.browser.get("/calls?" + words).text
        assert len(re.findall(r'href="/calls/[0-9a-f-]{36}["?]', page)) == count, words
        assert len(table(team.browser.get("/calls.csv?" + words))) == count, words


def test_the_export_streams_every_page_with_exact_numbers(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.export.PAGE_ROWS", 4)
    made = {str(spend(site, team, days=n / 1000)) for n in range(10)}
    rows = table(team.browser.get("/calls.csv"))
    assert {row["id"] for row in rows} == made and len(rows) == 10
    assert {row["cost"] for row in rows} == {"0.00045"}
    assert rows[0]["started_at"].endswith("Z")


def test_nothing_that_matches_is_said(team: Acme) -> None:
    assert "No calls match these filters in this period." in text(team.browser.get("/calls?model=none"))


def test_where_nothing_was_called_there_is_a_way_to_the_first_or_the_last_call(site: Site, team: Acme) -> None:
    page = team.browser.get("/calls")
    assert "No calls in this period. The first one will show up here. How to send it" in text(page)
    assert "filters" not in text(page).partition("No calls")[2]
    spend(site, team, days=3)
    assert "Go to the last day that had some" in text(team.browser.get("/calls?period=today"))


def test_calls_of_others_and_unknown_ones_are_not_there(site: Site, team: Acme) -> None:
    call = spend(site, team)
    assert team.eves.get(f"/calls/{call}").status_code == 404
    assert team.browser.get(f"/calls/{uuid4()}").status_code == 404
    assert team.browser.get("/calls/nonsense").status_code == 404
    assert table(team.eves.get("/calls.csv")) == []


def test_a_cursor_that_is_not_ours_is_a_400(team: Acme) -> None:
    for cursor in ("x", "2026-01-01~x", f"2026-01-01T00:00:00~{uuid4()}", cursors.write(1, uuid4())):
        assert team.browser.get("/calls", query_string={"cursor": cursor}).status_code == 400, cursor


def test_an_admin_closes_a_call_in_doubt_with_what_it_cost(site: Site, team: Acme) -> None:
    path = f"/calls/{leave_open(site, team)}"
    assert "Close this call" in text(team.browser.get(path)) and "Close this call" not in text(team.devs.get(path))
    assert team.devs.post(f"{path}/close", shown="/team", reason="x").status_code == 403
    assert team.eves.post(f"{path}/close", shown="/team", reason="x").status_code == 404
    for cost, words in (("1,5", "Dollars are written 0.0125."), ("-1", "Dollars are"), ("1e3", "Dollars are")):
        refused = team.browser.post(f"{path}/close", shown=path, cost=cost, reason="seen at OpenAI")
        assert refused.status_code == 400 and words in text(refused) and "seen at OpenAI" in refused.text
    assert team.browser.post(f"{path}/close", shown=path, cost="0.0125", reason="seen at OpenAI").status_code == 303
    page = text(team.browser.get(path))
    assert "$0.0125" in page and "Close this call" not in page
    assert "in doubt:" not in text(team.browser.get("/"))
    assert "closed a call" in text(team.browser.get("/audit"))


def test_a_call_may_be_closed_without_a_cost(site: Site, team: Acme) -> None:
    path = f"/calls/{leave_open(site, team)}"
    assert team.browser.post(f"{path}/close", shown=path, reason="nothing to be found").status_code == 303
    page = text(team.browser.get(path))
    assert "no usage reported" in page and "Close this call" not in page, "it cannot be undone"


def test_an_admin_gives_a_call_of_unknown_cost_its_cost(site: Site, team: Acme) -> None:
    path = f"/calls/{site.call(team.key, usage=None)}"
    page = text(team.browser.get(path))
    assert "Close this call" in page and "may say what it cost" in page
    assert "Close this call" not in text(team.devs.get(path))
    refused = team.browser.post(f"{path}/close", shown=path, reason="seen at OpenAI")
    assert refused.status_code == 400 and "Say what the call cost." in text(refused)
    assert team.browser.post(f"{path}/close", shown=path, cost="0.0125", reason="seen at OpenAI").status_code == 303
    page = text(team.browser.get(path))
    assert "$0.0125" in page and "Close this call" not in page
    assert "seen at OpenAI. Before: no usage reported" in page
    assert "closed a call by hand: seen at OpenAI" in text(team.browser.get("/audit"))


def test_a_bound_is_shown_as_a_bound_and_is_in_no_sum(site: Site, team: Acme) -> None:
    seconds = {"type": "duration", "seconds": 90, "at_least": True}
    call = site.call(team.key, usage=seconds, model=None, model_requested="whisper-1")
    page = text(team.browser.get(f"/calls/{call}"))
    assert "Cost at least $0.009 no usage reported" in page and "The call is in no sum." in page
    assert "Close this call" in page
    assert "no usage reported, at least $0.009" in team.browser.get("/calls").text
    assert "$0.009" not in text(team.browser.get("/"))
    answer = team.ada.get(f"/calls/{call}").json
    assert (answer["cost"], answer["cost_at_least"]) == (None, "0.009")


def test_a_result_without_usage_is_not_said_to_make_the_cost_known(site: Site, team: Acme) -> None:
    same = {"upstream_object_id": "batch_9", "account": "install", "usage": None}
    made = site.call(team.key, outcome="pending", endpoint="/v1/batches", **same)
    site.call(team.key, method="GET", endpoint="/v1/batches/{batch_id}", **same)
    page = text(team.browser.get(f"/calls/{made}"))
    assert "The cost stayed unknown on " in page and "became known" not in page


def test_a_batch_with_a_bound_says_what_tells_its_cost(site: Site, team: Acme) -> None:
    usage = {"input_tokens": 400_000, "output_tokens": 20}
    call = site.call(team.key, usage=usage, model="gpt-5.4", endpoint="/v1/batches", batch=True)
    page = text(team.browser.get(f"/calls/{call}"))
    assert "Cost at least $0.50015 its output file tells what each of its requests used: download it" in page


def test_a_cost_of_nothing_says_why(site: Site, team: Acme) -> None:
    call = site.call(team.key, usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
    page = text(team.browser.get(f"/calls/{call}"))
    assert "Cost $0.00 the answer says that nothing was used" in page


@pytest.mark.parametrize(("served", "named"), [
    ({"service_tier": "flex"}, "flex"), ({"service_tier": None, "batch": True, "endpoint": "/v1/batches"}, "batch"),
    ({"service_tier": "default", "batch": True, "endpoint": "/v1/batches"}, "batch"),
])  # fmt: skip
def test_a_cost_at_the_standard_tier_names_the_tier_that_has_no_price(
    site: Site, team: Acme, served: dict[str, Any], named: str
) -> None:
    usage = {"input_tokens": 10, "output_tokens": 10}
    call = site.call(team.key, usage=usage, model="gpt-5.1-codex-mini", **served)
    words = f"no price for its tier, {named}: priced from the list price, standard tier"
    assert words in text(team.browser.get(f"/calls/{call}"))


def test_the_export_has_tags_and_every_kind_of_tokens(site: Site, team: Acme) -> None:
    usage = {
        "input_tokens": 1000, "output_tokens": 500,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 40, "audio_tokens": 50},
        "output_tokens_details": {"reasoning_tokens": 60, "audio_tokens": 70},
    }  # fmt: skip
    tags = {"team": "search", "ort": "Köln", "=1+1": "a;=cmd()"}
    spend(site, team, usage=usage, tags=tags, warning="x-spendai-tags: 1 left out")
    spend(site, team, days=1 / 1000, tags={})
    first, second = table(team.browser.get("/calls.csv"))
    kinds = site.sql("select column_name from information_schema.columns"
                     " where table_name = 'usage_logs' and column_name like 'tokens%%'")  # fmt: skip
    counts = {str(kind): first[str(kind)] for (kind,) in kinds}
    assert sorted(counts.values(), key=int) == ["30", "40", "50", "60", "70", "500", "1000"]
    assert json.loads(first["tags"]) == tags | {"=1+1": "a;'=cmd()"}
    assert (first["warning"], second["tags"], second["warning"]) == ("x-spendai-tags: 1 left out", "", "")


def test_a_call_says_which_of_its_tags_were_left_out(site: Site, team: Acme) -> None:
    call = spend(site, team, warning="x-spendai-tags: 3 left out: no name or no value")
    assert "x-spendai-tags: 3 left out: no name or no value" in text(team.devs.get(f"/calls/{call}"))
    assert team.ada.get(f"/calls/{call}").json["warning"] == "x-spendai-tags: 3 left out: no name or no value"
    assert "Warning" not in text(team.devs.get(f"/calls/{spend(site, team)}"))


@pytest.mark.parametrize(("changes", "words"), [
    ({}, r"priced from the list price( of \d+ \w{3} \d{4})?, standard tier"),
    ({"service_tier": "flex", "model": "gpt-5"}, r"priced from the list price( of \d+ \w{3} \d{4})?, flex tier"),
    ({"outcome": "error", "usage": None, "status_code": 500}, "error, not billed"),
])  # fmt: skip
def test_where_the_cost_comes_from_is_said_in_words(site: Site, team: Acme, changes: dict, words: str) -> None:
    assert re.search(words, text(team.devs.get(f"/calls/{spend(site, team, **changes)}")))


def test_facts_of_a_call_lead_to_their_spend_in_its_month_and_the_way_back_to_its_list(site: Site, team: Acme) -> None:
    call = spend(site, team, end_user="u1", tags={"team": "web"}, service_tier="flex")
    page = html.unescape(team.devs.get(f"/calls/{call}?period=7&status=200&cursor=abc").text)
    for words in (
        f"key={team.key['id']}", "model=gpt-4o-mini", "end_user=u1", "tag=team%3Dweb", "service_tier=flex",
        "endpoint=%2Fv1%2Fchat%2Fcompletions",
    ):  # fmt: skip
        link = re.search(rf'href="(/\?from=\d{{4}}-\d\d-01&to=\d{{4}}-\d\d-\d\d&{re.escape(words)})"', page)
        assert link and "$0.000" in text(team.devs.get(link[1])), words
    project = re.search(rf'href="(/projects/{team.project["id"]}\?from=\d{{4}}-\d\d-01&to=\d{{4}}-\d\d-\d\d)"', page)
    assert project and "Calls 1" in text(team.devs.get(project[1]))
    assert 'href="/calls?period=7&status=200&cursor=abc"' in page
    assert 'href="/prices/gpt-4o-mini"' in page


def test_an_admin_may_set_the_price_that_a_call_lacks(site: Site, team: Acme) -> None:
    call = spend(site, team, model="gpt-99", model_requested="gpt-99")
    link = '<a href="/prices?model=gpt-99#add-title">Set a price</a>'
    assert link in team.browser.get(f"/calls/{call}").text
    assert link not in team.devs.get(f"/calls/{call}").text
    assert 'value="gpt-99"' in team.browser.get("/prices?model=gpt-99").text


def test_amounts_of_a_receipt_align_on_their_decimal_points(site: Site, team: Acme) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 601}}
    page = team.devs.get(f"/calls/{spend(site, team, usage=usage)}").text
    amounts = re.findall(r'<td class="num">(\$0\.[\d\u2007]+)</td></tr>', page)
    assert len(amounts) == 4 and {len(amount) for amount in amounts} == {len("$0.000404925")}


def test_closing_a_call_keeps_the_way_back_to_the_list(site: Site, team: Acme) -> None:
    path = f"/calls/{spend(site, team, outcome='no_usage', usage=None, status_code=504)}?status=504"
    assert f'action="{path.replace("?", "/close?")}"' in team.browser.get(path).text
    answer = team.browser.post(path.replace("?", "/close?"), cost="0.5", reason="as billed")
    assert (answer.status_code, answer.location) == (303, path)
