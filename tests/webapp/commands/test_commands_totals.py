"""``flask totals differences|rebuild``: the operator finds sums that are wrong, and has a day added up again."""

from __future__ import annotations

import pytest
from commands import operator  # noqa: F401  # a fixture
from ledgers import DAY, add_call

REBUILD = ("totals", "rebuild", f"{DAY:%Y-%m-%d}", "--reason", "after the restore")


@pytest.fixture
def wrong(operator):  # noqa: F811
    people = operator.people()
    for who, cost in (("ada", 1), ("ada", 2), ("eve", 4)):
        add_call(people, who, cost=cost)
    people.conn.execute(
        "update public.daily_totals set cost = cost + 1, calls = 1 where org_id = %s", [people.orgs["ada"]]
    )
    return operator


def test_a_day_is_found_added_up_again_and_found_no_more(wrong):
    found = wrong.run("totals", "differences")
    assert (found.exit_code, found.output) == (1, f"{DAY:%Y-%m-%d}\tAcme\tall\t1 call\t$1.00\n")
    done = wrong.run(*REBUILD, "--org", "Acme")
    assert (done.exit_code, done.output) == (0, f"Acme, {DAY:%Y-%m-%d}: 2 calls, $3.00 (before: 1 call, $4.00)\n")
    assert wrong.run("totals", "differences").exit_code == 0
    (line,) = wrong.rows("select details from public.audit_log where action = 'totals.rebuilt'")
    assert line["details"]["reason"] == "after the restore"


def test_whose_day_it_is_must_be_said_where_there_are_several_and_why_always(wrong):
    assert "Acme" in wrong.run(*REBUILD).output and wrong.run(*REBUILD).exit_code == 2
    assert wrong.run(*REBUILD[:3], "--org", "Acme").exit_code == 2
    assert wrong.run("totals", "differences").exit_code == 1


def test_a_day_without_its_calls_keeps_its_sums(wrong):
    refused = wrong.run("totals", "rebuild", "2019-01-01", "--reason", "why", "--org", "Acme")
    assert refused.exit_code == 1 and "not in the database" in refused.output
