"""`flask prices reprice` and `flask prices explain`, as an operator types them."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from commands import Operator, operator
from pricing import add_price
from spending import days_ago, spent
from stack import SECRETS

from webapp.config import ROOT

__all__ = ["operator"]
PERIOD = ("--from", str(days_ago(60).date()), "--to", str(days_ago(-9).date()))
MILLION = {"prompt_tokens": 1_000_000, "completion_tokens": 0}


def reprice(operator: Operator, *words: str) -> list[str]:
    answer = operator.run("prices", "reprice", *PERIOD, "--reason", "new price", *words)
    assert answer.exit_code == 0, answer.output
    return answer.stdout.splitlines()


def test_repricing_says_per_organization_what_it_did_and_how_far_it_is(operator: Operator) -> None:
    people = operator.people()
    spent(people, model="gpt-99", usage=MILLION, at=days_ago(40))
    spent(people, model="gpt-98", usage=MILLION)
    spent(people, "eve", usage=MILLION, model="gpt-4o-mini")
    add_price(operator.conn, "gpt-99", "input_text", "3")
    add_price(operator.conn, "gpt-4o-mini", "input_text", "0.1", org_id=people.orgs["eve"])
    expected = [
        "Acme: 2 calls, 1 filled ($3.00), 0 corrected ($0.00), 1 still without a price",
        "Evil: 1 call, 0 filled ($0.00), 1 corrected (−$0.05), 0 still without a price",
        "total: 3 calls, 1 filled ($3.00), 1 corrected (−$0.05), 1 still without a price",
    ]
    assert reprice(operator, "--dry-run") == [*expected, "nothing was written"]
    answer = operator.run("prices", "reprice", *PERIOD, "--reason", "new price")
    assert answer.stdout.splitlines() == expected
    assert "Acme: 2 calls, up to " in answer.stderr
    again = reprice(operator)
    assert again[-1] == "total: 3 calls, 0 filled ($0.00), 0 corrected ($0.00), 1 still without a price"
    rows = operator.rows("select reason from public.cost_fills union all select reason from public.cost_adjustments")
    assert [row["reason"] for row in rows] == ["new price"] * 2


@pytest.mark.parametrize("words", [
    ("--from", "2026-01-01", "--to", "2026-02-01"),
    ("--from", "2026-01-01", "--to", "2026-02-01", "--reason", " "),
    ("--from", "yesterday", "--to", "2026-02-01", "--reason", "r"),
    ("--from", "2026-02-30", "--to", "2026-04-01", "--reason", "r"),
    ("--from", "2026-02-01", "--to", "2026-02-01", "--reason", "r"),
    ("--from", "2026-02-02", "--to", "2026-02-01", "--reason", "r"),
    ("--to", "2026-02-01", "--reason", "r"),
])  # fmt: skip
def test_wrong_input_is_said_with_status_2_and_changes_nothing(operator: Operator, words: tuple[str, ...]) -> None:
    answer = operator.run("prices", "reprice", *words)
    assert answer.exit_code == 2 and "Error: " in answer.output


def test_a_cost_is_worked_out_line_by_line_to_the_last_digit(operator: Operator) -> None:
    people = operator.people()
    own = add_price(operator.conn, "gpt-4o-mini", "output_text", "0.7", org_id=people.orgs["ada"], revision=2)
    usage = {"prompt_tokens": 1001, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3}}
    call = spent(people, model="gpt-4o-mini", usage=usage, at=days_ago(2))
    add_price(operator.conn, "gpt-4o-mini", "input_text", "1.15", valid_from=days_ago(9))
    reprice(operator)
    answer = operator.run("prices", "explain", str(call))
    assert answer.exit_code == 0, answer.output
    assert f"call {call} of Acme" in answer.output and "(sandbox: play money)" in answer.output
    lines = answer.output.splitlines()
    assert "  input_text  998 × $0.15 / 1,000,000 = $0.0001497" in answer.output
    assert "genai-prices 0.2.3, from the beginning, revision 1, tier standard)" in answer.output
    assert f"(price row {own}, the organization's own, from 2020-01-01 00:00:00 UTC, revision 2, tier standard)" in (
        answer.output
    )
    amounts = [Decimal(line.split(" = $")[1].split()[0]) for line in lines if " = $" in line]
    assert len(amounts) == 3
    assert f"cost ${sum(amounts)} (priced)" in lines
    assert sum(amounts) == operator.rows("select cost from public.usage_logs")[0]["cost"]
    assert any(line.startswith("  $0.000998 booked ") and line.endswith("UTC: new price") for line in lines)
    assert lines[-1] == f"corrected cost ${sum(amounts) + Decimal('0.000998')}"


def test_a_region_is_explained_as_a_part_of_what_the_tokens_cost(operator: Operator) -> None:
    usage = {
        "input_tokens": 10_000,
        "output_tokens": 500,
        "input_tokens_details": {"cached_tokens": 1000},
        "region": "eu",
    }
    call = spent(operator.people(), model="gpt-6.1-sol", usage=usage)
    answer = operator.run("prices", "explain", str(call))
    assert "  regional_processing eu  tokens of $0.0231 × +10 % = $0.00231  (price row " in answer.output
    assert "cost $0.02541 (priced)" in answer.output


def test_what_is_inconsistent_in_the_usage_is_said(operator: Operator) -> None:
    call = spent(operator.people(), model="gpt-4o-mini", usage={"prompt_tokens": 10, "input_tokens": 20})
    answer = operator.run("prices", "explain", str(call))
    assert "  the usage is inconsistent: prompt_tokens (10) and input_tokens (20) differ" in answer.output.splitlines()
    assert "cost unknown (no_usage)" in answer.output


def test_a_part_of_what_openai_bills_is_a_bound(operator: Operator) -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "at_least": True}
    call = spent(operator.people(), model="gpt-4o-mini", usage=usage)
    answer = operator.run("prices", "explain", str(call))
    assert "  input_text  1,000,000 × $0.15 / 1,000,000 = at least $0.15  (price row " in answer.output
    assert "cost at least $0.15 (no_usage)" in answer.output


def test_what_has_no_price_or_got_it_later_is_said(operator: Operator) -> None:
    call = spent(operator.people(), model="gpt-99", usage=MILLION)
    answer = operator.run("prices", "explain", str(call))
    assert "  input_text  1,000,000 × no price" in answer.output
    assert "cost unknown (unpriced_model)" in answer.output
    add_price(operator.conn, "gpt-99", "input_text", "3")
    reprice(operator)
    answer = operator.run("prices", "explain", str(call))
    assert "cost $3.00 (priced)" in answer.output
    assert "was unpriced_model: new price" in answer.output


def test_an_unknown_call_is_status_1_and_no_id_at_all_status_2(own_dsn: str, tmp_path: Path) -> None:
    environ = os.environ | SECRETS | {"DATABASE_URL": own_dsn, "SPENDAI_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "flask", "prices", "explain"]
    for word, status in ((str(uuid4()), 1), ("no-id", 2)):
        answer = subprocess.run([*command, word], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        assert answer.returncode == status and "Traceback" not in answer.stderr, answer.stderr
        assert word in answer.stderr
