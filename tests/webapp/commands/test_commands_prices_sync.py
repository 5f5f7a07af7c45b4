"""`flask prices sync`: prices on which two sources agree become new rows with a start date; no row is ever changed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from commands import Operator, operator
from pricing import add_price

__all__ = ["operator"]
GPT_4O = {
    "id": "gpt-4o",
    "prices": {"input_mtok": 2.5, "cache_read_mtok": 1.25, "output_mtok": 10, "web_searches_kcount": 10,
               "storage_searches_kcount": 2.5},
}  # fmt: skip


def today() -> datetime:
    """The day on which the test runs, which may be another one than that on which pytest began."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def rows(operator: Operator, model: str, where: str = "true") -> list[tuple[object, ...]]:
    found = operator.rows(
        "select dimension, service_tier, context_min_tokens, unit_price, nullif(valid_from, '-infinity') as valid_from,"
        f" revision from public.model_prices where org_id is null and model = %s and {where} order by id", model,
    )  # fmt: skip
    return [tuple(row.values()) for row in found]


def test_what_is_equal_changes_nothing_and_what_is_not_in_the_source_stays(operator: Operator) -> None:
    before = operator.rows("select count(*) as n from public.model_prices")
    answer = operator.run("prices", "sync", "--verbose", *operator.both(GPT_4O))
    assert answer.exit_code == 0, answer.output
    assert "5 equal, 0 new, 0 changed, 0 accepted, 0 kept, 0 differ" in answer.output
    assert "the sources agree on 3 of 3 prices that both have" in answer.output
    assert "missing\tgpt-5 input_text standard: $1.25 (genai-prices" in answer.output
    assert "99" not in answer.output, "another provider's price was read"
    assert operator.rows("select count(*) as n from public.model_prices") == before


def test_a_different_price_becomes_a_row_from_today_and_the_old_one_stays(operator: Operator) -> None:
    changed = {"id": "gpt-4o", "prices": GPT_4O["prices"] | {"input_mtok": 2.000000001}}
    dry = operator.run("prices", "sync", "--dry-run", *operator.both(changed))
    assert "changed\tgpt-4o: input_text standard: $2.50 (genai-prices 0.2.3) → $2.000000001 per 1000000" in dry.output
    assert "nothing was written" in dry.output
    assert rows(operator, "gpt-4o", "valid_from > '-infinity'") == []
    assert operator.rows("select * from private.price_sync_runs where kind = 'sync'") == []

    operator.run("prices", "sync", *operator.both(changed))
    new = ("input_text", "standard", 0, Decimal("2.000000001"), today(), 1)
    assert rows(operator, "gpt-4o", "valid_from > '-infinity'") == [new]
    (run,) = operator.rows("select * from private.price_sync_runs where kind = 'sync'")
    assert (run["counts"]["changed"], run["counts"]["equal"], run["counts"]["agreed"]) == (1, 4, 3)
    assert run["source"] == "genai-prices data.json, litellm model_prices_and_context_window.json"
    assert [row["model"] for row in run["difference"] if row["change"] == "changed"] == ["gpt-4o"]

    again = operator.run("prices", "sync", *operator.both(changed))
    assert "5 equal, 0 new, 0 changed" in again.output
    twice = {"id": "gpt-4o", "prices": GPT_4O["prices"] | {"input_mtok": 3}}
    operator.run("prices", "sync", *operator.both(twice))
    assert rows(operator, "gpt-4o", "revision = 2") == [("input_text", "standard", 0, 3, today(), 2)]


def test_the_source_s_own_dates_count_where_they_are_later_than_ours(operator: Operator) -> None:
    past, soon = (today() - timedelta(days=9)).date(), (today() + timedelta(days=9)).date()
    prices = GPT_4O["prices"]
    dated = [{"prices": prices}] + [
        {"constraint": {"start_date": str(day)}, "prices": prices | {"input_mtok": price}}
        for day, price in ((past - timedelta(days=9), 9), (soon, 1), (past, 2))
    ]
    files = operator.both({"id": "gpt-4o", "prices": dated})
    answer = operator.run("prices", "sync", *files)
    found = [(row[3], row[4].date()) for row in rows(operator, "gpt-4o", "valid_from > '-infinity'")]
    assert found == [(2, past)]
    assert "only genai-prices\tgpt-4o: input_text standard: $2.50" in answer.output
    operator.run("prices", "sync", *files, "--accept", "gpt-4o")
    found = [(row[3], row[4].date()) for row in rows(operator, "gpt-4o", "valid_from > '-infinity'")]
    assert found == [(2, past), (1, soon)]
    answer = operator.run("prices", "sync", *files)
    assert "0 new, 0 changed, 0 accepted" in answer.output


def test_a_new_model_comes_with_its_tiers_long_contexts_and_names(operator: Operator) -> None:
    model = {
        "id": "gpt-9", "match": {"or": [{"equals": "gpt-9-now"}, {"starts_with": "gpt-9-2027"}, {"contains": "9"}]},
        "prices": {"input_mtok": {"base": 2, "tiers": [{"start": 272000, "price": 4}]}, "input_video_mtok": 1},
        "price_variants": [
            {"when": {"service_tier": "default"}, "prices": {}},
            {"when": {"service_tier": "fast"}, "prices": {"input_mtok": 8}},
            {"when": {"processing": "batch"}, "prices": {"input_mtok": 1}},
            {"when": {"service_tier": "scale"}, "prices": {"input_mtok": 7}},
        ],
    }  # fmt: skip
    answer = operator.run("prices", "sync", "--verbose", *operator.both(GPT_4O, model))
    assert "new\tgpt-9 input_text standard >272000: no price → $4.00 per 1000000 from the beginning" in answer.output
    assert "ignored\tgenai-prices data.json: input_video_mtok: gpt-9" in answer.output
    assert "ignored\tgenai-prices data.json: prices when {'service_tier': 'scale'}: gpt-9" in answer.output
    assert sorted(row[:4] for row in rows(operator, "gpt-9")) == [
        ("input_text", "batch", 0, 1), ("input_text", "priority", 0, 8),
        ("input_text", "standard", 0, 2), ("input_text", "standard", 272000, 4),
    ]  # fmt: skip
    names = operator.rows("select (app.price_model_of(null, n, now())).model as model"
                          " from unnest(array['gpt-9-now', 'gpt-9-2027-01-01', 'my-9']) n")  # fmt: skip
    assert [row["model"] for row in names] == ["gpt-9", "gpt-9", None]


def test_prices_of_organizations_and_those_that_came_from_elsewhere_are_never_touched(operator: Operator) -> None:
    people = operator.people()
    own = add_price(operator.conn, "gpt-4o", "input_text", "1", org_id=people.orgs["ada"], source="admin")
    add_price(operator.conn, "gpt-4o", "output_text", "7", source="admin")
    answer = operator.run("prices", "sync", *operator.both(GPT_4O), "--accept", "gpt-4o")
    assert "kept\tgpt-4o: output_text standard: $7.00 (admin), the source says $10.00 per 1000000" in answer.output
    assert rows(operator, "gpt-4o", "valid_from > now() - interval '1 day'") == []
    assert operator.rows("select id from public.model_prices where org_id is not null") == [{"id": own}]


@pytest.mark.parametrize(("prices", "words"), [
    ({"input_mtok": -1}, "gpt-4o, prices 1, input_mtok: -1 is not a price"),
    ({"input_mtok": 1e30}, "1E+30 is not a price"),
    ({"input_mtok": True}, "True is not a price"),
    ({"input_mtok": "2.5"}, "2.5 is not a price"),
    ({"input_mtok": 0.12345678901}, "more than 10 decimals"),
    ({"input_mtok": {"base": 1, "tiers": [{"start": 0, "price": 1}]}}, "is not a context size"),
    ([{"constraint": {"start_date": "soon"}, "prices": {}}], "'soon' is not a date"),
    ("free", "prices 1: expected an object"),
])  # fmt: skip
def test_a_source_with_something_that_is_no_price_changes_nothing(
    operator: Operator, prices: object, words: str
) -> None:
    before = operator.rows("select count(*) as n from public.model_prices")
    good = {"id": "gpt-9", "prices": {"input_mtok": 1}}
    answer = operator.run("prices", "sync", "--file", operator.source(good, {"id": "gpt-4o", "prices": prices}))
    assert answer.exit_code == 1 and words in answer.output, answer.output
    assert operator.rows("select count(*) as n from public.model_prices") == before


@pytest.mark.parametrize(("text", "words"), [
    ("", "is not JSON"),
    ('[{"id": "openai", "models": [{"id": "m", "prices": {"input_mtok": NaN}}]}]', "NaN is not a number"),
    ("{}", "the data: expected a list"),
    ("[]", "no provider openai"),
    ('[{"id": "openai"}]', "models: expected a list"),
    ('[{"id": "openai", "models": []}]', "has no prices"),
    ("[" * 100_000, "is not JSON"),
])  # fmt: skip
def test_a_file_of_the_wrong_shape_is_refused_in_one_line(operator: Operator, text: str, words: str) -> None:
    answer = operator.run("prices", "sync", "--file", operator.source(text=text))
    assert answer.exit_code == 1 and words in answer.output, answer.output
    assert len(answer.output) < 500 and isinstance(answer.exception, SystemExit)


def test_the_data_the_shipped_list_was_made_from_changes_nothing(operator: Operator) -> None:
    answer = operator.run("prices", "sync")
    assert answer.exit_code == 0, answer.output
    # only: OpenAI's own pages say less for transcribed audio, and more for web searches of the minis.
    last = answer.output.splitlines()[-1]
    assert last.startswith("822 equal, 0 new, 0 changed, 0 accepted, 0 kept, 0 differ, 4 only genai-prices, ")


def test_without_the_package_it_says_what_to_install(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    answer = operator.run("prices", "sync")
    assert answer.exit_code == 1
    assert "no source of prices is installed: use --fetch, or name a file with --file" in answer.output
