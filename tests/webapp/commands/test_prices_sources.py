"""Where `flask prices sync` reads: files, wheels and the package index; --accept, undo and reprice-new after it."""

from __future__ import annotations

import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from commands import Operator, operator
from spending import spent

from webapp.commands import price_litellm
from webapp.commands.price_source import SourceError

__all__ = ["operator"]
GENAI = """
providers: list[Provider] = [
    Provider(id='deepseek', models=[open('secret')]),
    Provider(id='openai', models=[
        ModelInfo(
            id='gpt-99', match=ClauseOr(or_=[ClauseEquals(equals='gpt-99-now')]), context_window=None,
            prices=[
                ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('9'))),
                ConditionalPrice(
                    constraint=StartDateConstraint(start_date=datetime.date(2026, 11, 17)),
                    prices=ModelPrice(
                        input_mtok=TieredPrices(base=Decimal('2'), tiers=[Tier(start=272000, price=Decimal('4'))])
                    ),
                ),
            ],
            price_variants=[PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('1')))],
        ),
    ]),
]
"""
LITELLM = {"gpt-99": {
    "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06,
    "input_cost_per_token_above_272k_tokens": 4e-06, "input_cost_per_token_batches": 1e-06,
}}  # fmt: skip
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0}


def wheel(folder: Path, package: str, release: str, member: str, text: str) -> str:
    """A wheel with one data file; its path."""
    name = package.replace("-", "_")
    path = folder / f"{name}-{release}-py3-none-any.whl"
    info = f"{name}-{release}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, text)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {release}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return str(path)


def wheels(folder: Path) -> list[str]:
    return [
        wheel(folder, "genai-prices", "7.1", "genai_prices/data.py", GENAI),
        wheel(folder, "litellm", "8.2", "litellm/model_prices_and_context_window_backup.json", json.dumps(LITELLM)),
    ]


def added(operator: Operator) -> list[tuple[Any, ...]]:
    rows = operator.rows(
        "select service_tier, context_min_tokens, unit_price, valid_from::text as since, source"
        " from public.model_prices where model = 'gpt-99' order by service_tier, context_min_tokens, id"
    )
    return [tuple(row.values()) for row in rows]


AGREED = "sync: genai-prices 7.1, litellm 8.2"
EXPECTED = [("batch", 0, 1, "-infinity", AGREED), ("standard", 0, 2, "2026-11-17 00:00:00+00", AGREED),
            ("standard", 272000, 4, "2026-11-17 00:00:00+00", AGREED)]  # fmt: skip


def test_wheels_are_read_as_data_and_nothing_in_them_is_executed(operator: Operator, tmp_path: Path) -> None:
    genai, litellm = wheels(tmp_path)
    answer = operator.run("prices", "sync", "--file", litellm, "--file", genai)
    assert answer.exit_code == 0, answer.output
    operator.conn.execute("set timezone = 'UTC'")
    assert added(operator) == EXPECTED
    twice = operator.run("prices", "sync", "--file", genai, "--file", genai)
    assert twice.exit_code == 1 and "is a second file of genai-prices" in twice.output


def test_fetch_takes_the_newest_of_both_with_pip_and_says_in_one_line_why_it_cannot(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    failed = operator.run("prices", "sync", "--fetch")
    assert failed.exit_code == 1 and "Error: pip cannot download genai-prices, litellm: " in failed.output
    assert len(failed.output.splitlines()) == 1
    wheels(tmp_path)
    answer = operator.run("prices", "sync", "--fetch")
    assert answer.exit_code == 0, answer.output
    operator.conn.execute("set timezone = 'UTC'")
    assert added(operator) == EXPECTED


@pytest.mark.parametrize(("text", "words"), [
    ("providers: list[Provider] = [Provider(id='openai', models=open('x'))]", "data.py, line 1: expected a constant"),
    ("providers = (", "data.py is not Python"),
    ("x = 1", "there is no provider openai"),
])  # fmt: skip
def test_data_that_is_more_than_constants_is_refused(operator: Operator, tmp_path: Path, text: str, words: str) -> None:
    answer = operator.run(
        "prices", "sync", "--file", wheel(tmp_path, "genai-prices", "1", "genai_prices/data.py", text)
    )
    assert answer.exit_code == 1 and words in answer.output, answer.output


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip"])
def test_a_wheel_that_is_none_is_one_line(operator: Operator, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "litellm-1.whl").write_bytes(content)
    answer = operator.run("prices", "sync", "--file", str(tmp_path / "litellm-1.whl"))
    assert answer.exit_code == 1 and "cannot be read as a wheel" in answer.output
    other = operator.run("prices", "sync", "--file", wheel(tmp_path, "flask", "1", "flask/app.py", ""))
    assert other.exit_code == 1 and "is no wheel of genai-prices or litellm" in other.output


def test_what_one_has_or_they_differ_on_is_listed_and_taken_when_it_is_accepted(
    operator: Operator, tmp_path: Path
) -> None:
    operator.conn.execute("set timezone = 'UTC'")
    genai, litellm = wheels(tmp_path)
    alone = operator.run("prices", "sync", "--file", litellm)
    assert "only litellm\tgpt-99: input_text batch: no price, the source says $1.00 per 1000000; " in alone.output
    assert "only one source was read, so nothing is added but what --accept MODEL names" in alone.output
    cost_map = {"gpt-99": LITELLM["gpt-99"] | {"input_cost_per_token": 3e-06, "output_cost_per_token": 5e-06}}
    member = "litellm/model_prices_and_context_window_backup.json"
    files = ["--file", genai, "--file", wheel(tmp_path, "litellm", "8.3", member, json.dumps(cost_map))]
    answer = operator.run("prices", "sync", *files, "--dry-run")
    assert (
        "differ\tgpt-99: input_text standard: no price; genai-prices 7.1 says $2.00 per 1000000, litellm 8.3 says $3.00"
        in (answer.output)
    )
    assert "only litellm\tgpt-99: output_text standard: no price" in answer.output and added(operator) == []
    refused = operator.run("prices", "sync", *files, "--accept", "gpt-99")
    assert refused.exit_code == 2 and "the sources differ on gpt-99" in refused.output and added(operator) == []
    for words in ("gpt-98", "gpt-99=openai"):
        assert operator.run("prices", "sync", *files, "--accept", words).exit_code == 2
    operator.run("prices", "sync", *files, "--accept", "gpt-99=litellm")
    sources = {row[2]: row[4] for row in added(operator)}
    assert sources == {1: "sync: genai-prices 7.1, litellm 8.3", 3: "sync: litellm 8.3", 5: "sync: litellm 8.3",
                       4: "sync: genai-prices 7.1, litellm 8.3"}  # fmt: skip


def test_a_sync_is_followed_by_the_calls_it_prices_and_can_be_undone(operator: Operator, tmp_path: Path) -> None:
    people = operator.people()
    spent(people, model="gpt-99-now", usage=USAGE)
    genai, litellm = wheels(tmp_path)
    synced = operator.run("prices", "sync", "--file", genai, "--file", litellm)
    assert "To price earlier calls with them: flask prices reprice-new" in synced.output
    expected = ": 1 call, 1 filled ($4.00), 0 corrected ($0.00), 0 still without a price"
    dry = operator.run("prices", "reprice-new")
    assert dry.stdout.startswith("Acme, gpt-99, ") and expected in dry.stdout
    assert dry.stdout.endswith("nothing was written; --yes books this\n")
    assert operator.rows("select * from public.cost_fills") == []
    assert expected in operator.run("prices", "reprice-new", "--yes").stdout
    assert operator.rows("select reason from public.cost_fills") == [{"reason": "new prices"}]
    again = operator.run("prices", "reprice-new", "--yes")
    assert again.stdout == "no call costs anything else with the prices that were added since the last run\n"
    run = operator.rows("select max(id) as id from private.price_sync_runs where kind = 'sync'")[0]["id"]
    assert f"flask prices undo {run}." in synced.output
    undone = operator.run("prices", "undo", str(run))
    assert "gpt-99 input_text standard: stays, there was none before" in undone.output
    assert operator.run("prices", "undo", "0").exit_code == 1


@pytest.mark.parametrize(("field", "value", "row"), [
    ("input_cost_per_second", "0.000833333333333", ("audio_seconds", "standard", 0, "3.0000000000", 3600)),
    ("input_cost_per_second", "0.000566666666667", ("audio_seconds", "standard", 0, "2.0400000000", 3600)),
    ("output_cost_per_token_flex", "5e-09", ("output_text", "flex", 0, "0.0050000000", 1000000)),
    ("cache_creation_input_token_cost_above_12hr_above_272k_tokens_ultrafast", "6e-05",
     ("cache_write_12h", "ultrafast", 272000, "60.0000000000", 1000000)),
    ("cache_creation_input_token_cost_above_272k_tokens", "1e-06",
     ("cache_write", "standard", 272000, "1.0000000000", 1000000)),
])  # fmt: skip
def test_a_field_of_the_cost_map_is_a_price(field: str, value: str, row: tuple[Any, ...]) -> None:
    fields = {"litellm_provider": "openai", field: Decimal(value)}
    (found,) = price_litellm.read("litellm test", {"m": fields}).rows
    names = ("dimension", "service_tier", "context_min_tokens", "unit_price", "unit_qty")
    assert tuple(found[name] for name in names) == row


def test_what_the_list_cannot_hold_is_one_line_for_each_kind() -> None:
    fields = {"litellm_provider": "openai", "input_cost_per_token": Decimal("1e-6"), "input_cost_per_token_decisions":
              Decimal("1e-7"), "code_cost": 1, "fedramp_uplift_multiplier": Decimal("1.1")}  # fmt: skip
    models = {"m": fields, "n": fields, "high/1024-x-1024/m": fields, "azure/m": {"litellm_provider": "azure"}}
    source = price_litellm.read("litellm test", models)
    assert sorted(row["model"] for row in source.rows) == ["m", "m-decisions", "n", "n-decisions"]
    assert [line.split(": ")[1] for line in source.ignored_lines(False)] == [
        "code_cost (2 models)", "estimates for one image (1 model)",
        "fedramp_uplift_multiplier (the rows of regional_processing are made by hand) (2 models)",
    ]  # fmt: skip
    assert source.ignored_lines(True)[0].endswith("code_cost: m, n")


@pytest.mark.parametrize("value", [Decimal("-1"), True, "1e-6", Decimal("Infinity"), None, Decimal("1e30")])
def test_a_cost_map_with_something_that_is_no_price_is_refused(value: object) -> None:
    fields = {"litellm_provider": "openai", "input_cost_per_token": value}
    with pytest.raises(SourceError, match="is not a price"):
        price_litellm.read("litellm test", {"m": fields})
