"""The six spend_* views: each lists the same sums, with the same names, types, expressions and comments."""

from __future__ import annotations

import re

import psycopg
import pytest

from webapp.config import ROOT

VIEWS = ("spend_daily", "spend_by_project", "spend_by_model", "spend_by_key", "spend_by_end_user", "spend_by_tag")
SUMS = (
    "calls", "tokens_in", "tokens_cached", "tokens_out", "cost", "unpriced_calls", "no_usage_calls", "in_doubt_calls",
    "error_calls", "adjustments", "cost_corrected",
)  # fmt: skip
COLUMNS = """
select attname as name, format_type(atttypid, atttypmod) as type, col_description(attrelid, attnum) as comment
from pg_attribute where attrelid = format('public.%%I', %s::text)::regclass and attnum > 0 order by attnum
"""


def listed(view: str) -> list[tuple[str, str]]:
    """Expression and name of the last columns of the view, from its file."""
    text = (ROOT / f"db/views/{view}.sql").read_text()
    selected = re.search(r"\nselect\n(.*?)\nfrom ", text, re.S).group(1)
    return [tuple(column.strip(" ,").split(" as ")) for column in selected.splitlines()][-len(SUMS) :]


def columns(db: psycopg.Connection, view: str) -> list[dict[str, str]]:
    return db.execute(COLUMNS, [view]).fetchall()


def test_these_are_all_the_spend_views() -> None:
    assert {path.stem for path in (ROOT / "db/views").glob("spend_*.sql")} == set(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
def test_it_ends_with_the_sums_each_added_up_in_the_same_way(view: str) -> None:
    assert [name for _, name in listed(view)] == list(SUMS)
    assert listed(view) == listed("spend_daily")
    for expression, name in listed(view):
        assert expression in (f"sum(b.{name})", f"sum(b.{name})::bigint")


@pytest.mark.parametrize("view", VIEWS)
def test_the_sums_have_the_same_types_and_comments(db: psycopg.Connection, view: str) -> None:
    found = columns(db, view)[-len(SUMS) :]
    assert [column["name"] for column in found] == list(SUMS)
    assert found == columns(db, "spend_daily")[-len(SUMS) :]


@pytest.mark.parametrize("view", VIEWS)
def test_it_leaves_out_the_same_groups(view: str) -> None:
    """Where nothing is left of the calls of a group and nothing was corrected."""
    text = (ROOT / f"db/views/{view}.sql").read_text()
    assert re.findall(r"^having (.*?);", text, re.M) == ["sum(b.calls) <> 0 or sum(b.adjustments) <> 0"]
