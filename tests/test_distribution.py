"""docs/beyond.md says which tables would be distributed by org_id; the catalog agrees: every key could carry it.

The tables of that page are the only list: of tables that are not distributed, of unique keys without org_id, and of
foreign keys between distributed tables without it. A table that is in no list counts as distributed.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from webapp.config import ROOT

PAGE = (ROOT / "docs/beyond.md").read_text()
PLACES = {"every node", "coordinator"}
WHY = {  # kind of a unique key without org_id → the column that such a key has
    "made once": "id uuid",
    "of one call": "call_id uuid",
    "of one proxy key": "api_key_id uuid",
    "OpenAI's id": "object_id text",
}
TABLES = """
select c.oid, c.oid::regclass::text as name, exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and a.attnotnull) as has_org
from pg_class c
where c.relnamespace = any ('{public,private,auth}'::regnamespace[])
  and c.relkind in ('r', 'p') and not c.relispartition
"""
KEYS = """
select i.indexrelid::regclass::text as name, i.indrelid as table, array(
    select a.attname || ' ' || a.atttypid::regtype from pg_attribute a
    where a.attrelid = i.indrelid and a.attnum = any (i.indkey)) as columns
from pg_index i where i.indisunique or i.indisexclusion
"""
FOREIGN = """
select c.conname as name, c.conrelid as table, c.confrelid as target,
    c.confdeltype = 'c' or c.confupdtype = 'c' as cascades, exists (
        select from unnest(c.conkey, c.confkey) as pair (here, there)
        join pg_attribute h on h.attrelid = c.conrelid and h.attnum = here and h.attname = 'org_id'
        join pg_attribute t on t.attrelid = c.confrelid and t.attnum = there and t.attname = 'org_id') as has_org
from pg_constraint c where c.contype = 'f' and c.conparentid = 0
"""
SEPARATE = "a foreign key between distributed tables without org_id; say why both rows are of one organization"


def listed(heading: str) -> dict[str, str]:
    """Name → second column of the table under a heading; each row has a reason in its third column."""
    part = PAGE.partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in part.splitlines() if row.startswith("| `")]
    assert rows and all(len(row) == 3 and row[2] for row in rows), heading
    return {row[0].strip("`").removeprefix("public."): row[1] for row in rows}


def found(db: psycopg.Connection) -> list[str]:
    """Everything in the catalog that contradicts the page."""
    places, same, together = (listed(name) for name in ("Not distributed", "Unique keys", "Foreign keys"))
    tables = {row["oid"]: row for row in db.execute(TABLES).fetchall()}
    place = {oid: places.get(row["name"], "distributed") for oid, row in tables.items()}
    without = {
        row["name"]: row["columns"] for row in db.execute(KEYS).fetchall()
        if place.get(row["table"]) == "distributed" and "org_id uuid" not in row["columns"]
    }  # fmt: skip
    foreign = [row for row in db.execute(FOREIGN).fetchall() if row["table"] in tables]
    wrong = [f"{name}: no such table" for name in places.keys() - {row["name"] for row in tables.values()}]
    wrong += [f"{name}: {word} is no place" for name, word in places.items() if word not in PLACES]
    wrong += [
        f"{row['name']}: has no org_id that is never null, so it must be listed as not distributed"
        for oid, row in tables.items() if place[oid] == "distributed" and not row["has_org"]
    ]  # fmt: skip
    wrong += [
        f"{name}: a unique key without org_id; say why it means the same with it"
        for name, columns in without.items() if WHY.get(same.get(name, "")) not in columns
    ]  # fmt: skip
    wrong += [f"{name}: needs no reason, or does not exist" for name in same.keys() - without.keys()]
    crossing = {row["name"]: problem for row in foreign if (problem := crosses(row, place))}
    wrong += [f"{name}: {problem}" for name, problem in crossing.items() if problem != SEPARATE or name not in together]
    return wrong + [f"{name}: needs no reason, or does not exist" for name in together.keys() - crossing.keys()]


def crosses(row: dict[str, Any], place: dict[int, str]) -> str | None:
    """What is wrong with a foreign key, if anything is."""
    here, there = place[row["table"]], place[row["target"]]
    if here == there == "distributed":
        return None if row["has_org"] else SEPARATE
    if there == "distributed":
        return f"leads from a table on {here} to a distributed one"
    if there == "coordinator" and here == "distributed":
        return "leads from a distributed table to one that only the coordinator has"
    if there == "coordinator" and here == "every node" and row["cascades"]:
        return "a change cascades from the coordinator's table to every node"
    return None


def test_every_key_has_org_id_or_could_carry_it(db: psycopg.Connection) -> None:
    assert found(db) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("create table public.added (id uuid)", "added: has no org_id"),
        ("create table public.added (org_id uuid unique)", "added: has no org_id"),
        ("create table public.added (org_id uuid not null, name text unique)", "added_name_key: a unique key without"),
        ("create table public.added (org_id uuid not null, line uuid references public.openai_cost_lines)",
         "added_line_fkey: a foreign key between distributed tables"),
        ("create table public.added (org_id uuid not null, session uuid references private.web_sessions (id))",
         "added_session_fkey: leads from a distributed table"),
        ("alter table public.projects add last_line uuid references public.openai_cost_lines",
         "projects_last_line_fkey: leads from a table on every node"),
        ("alter table public.cost_fills drop constraint cost_fills_pkey", "cost_fills_pkey: needs no reason"),
    ],
)  # fmt: skip
def test_a_table_that_could_not_be_distributed_is_named(db: psycopg.Connection, statement: str, expected: str) -> None:
    db.execute(statement)
    wrong = found(db)
    assert len(wrong) == 1 and wrong[0].startswith(expected), wrong


def test_the_page_names_every_distributed_table(db: psycopg.Connection) -> None:
    names = {row["name"] for row in db.execute(TABLES).fetchall()} - listed("Not distributed").keys()
    section = PAGE.partition("\n### Distributed\n")[2].partition("\n#")[0]
    assert set(re.findall(r"`([\w.]+)`", section.partition("\n\n")[2])) >= names
