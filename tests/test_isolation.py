"""The proof of docs/security.md: everyone tries everything; and what would break it is noticed by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from isolation.matrix import DOCUMENT, Matrix, read
from isolation.prove import prove
from isolation.trespass import trespass
from isolation.world import World


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return read(DOCUMENT.read_text())


def test_everyone_can_do_what_the_matrix_says_and_nothing_else(everyone: World, matrix: Matrix) -> None:
    proof = prove(everyone, matrix)
    assert proof.surprises == []
    assert proof.checks > 1000 * len(everyone.actors)


def test_no_function_gives_out_or_changes_anything_for_foreign_ids(everyone: World) -> None:
    calls, leaks = trespass(everyone)
    assert leaks == []
    assert calls > 300


@contextmanager
def made(everyone: World, statements: str, undo: str) -> Iterator[None]:
    everyone.owner.execute(statements)
    try:
        yield
    finally:
        everyone.owner.execute(undo)


TABLE = "create table public.leak as select * from public.projects; "
POLICY = "alter table public.leak enable row level security; create policy p on public.leak for select using (true)"
VIEW = " public.leak as select * from public.usage_logs; grant select on public.leak to authenticated, spendai_analyst"
DEFINER = "create function app.leak(p_project uuid) returns text language sql security definer set search_path = '' as "


@pytest.mark.parametrize(
    ("mistake", "undo", "noticed"),
    [
        (f"{TABLE} grant select on public.leak to anon", "drop table public.leak", "nobody (anon): can read leak.name"),
        (f"{TABLE} {POLICY}; grant select on public.leak to authenticated", "drop table public.leak",
         "lone (authenticated): reads leak: FOREIGN"),
        (f"{TABLE} grant update (name) on public.leak to spendai_web", "drop table public.leak",
         "web (spendai_web): update"),
        (f"create view {VIEW}", "drop view public.leak", "ada (authenticated): reads leak: FOREIGN"),
        (f"create materialized view {VIEW}", "drop materialized view public.leak",
         "ann (spendai_analyst): reads leak: FOREIGN"),
        ("create view public.leak with (security_invoker = true) as select * from public.projects",
         "drop view public.leak", "ann (spendai_analyst): cannot read leak.name"),
        ("create function public.leak() returns int language sql as 'select 1'; grant execute on function public.leak"
         " to public", "drop function public.leak", "service (service_role): can run function public.leak"),
    ],
)  # fmt: skip
def test_something_new_without_protection_is_noticed(
    everyone: World, matrix: Matrix, mistake: str, undo: str, noticed: str
) -> None:
    with made(everyone, mistake, undo):
        surprises = [*prove(everyone, matrix, "leak").surprises, *prove(everyone, matrix, "public.leak").surprises]
    assert [line for line in surprises if line.startswith(noticed)], surprises


@pytest.mark.parametrize(
    ("body", "noticed"),
    [
        ("'select p.name from public.projects p where p.id = p_project'", "tells"),
        ("'update public.projects set name = name || 1 where id = p_project returning null::text'", "changes rows"),
    ],
)
def test_a_function_that_forgets_whose_id_it_got_is_noticed(everyone: World, body: str, noticed: str) -> None:
    grant = "; revoke execute on function app.leak from public; grant execute on function app.leak to authenticated"
    with made(everyone, DEFINER + body + grant, "drop function app.leak"):
        _, leaks = trespass(everyone, "leak")
    assert leaks and all("app.leak" in line and noticed in line for line in leaks)


def test_a_right_that_the_matrix_promises_and_nobody_has_is_noticed_too(everyone: World, matrix: Matrix) -> None:
    with made(
        everyone, "revoke select on public.calls from authenticated", "grant select on public.calls to authenticated"
    ):
        surprises = prove(everyone, matrix, "calls").surprises
    assert "dev (authenticated): reads calls: –, and not own" in surprises


def test_an_empty_table_proves_nothing_and_that_is_said(everyone: World, matrix: Matrix) -> None:
    with made(everyone, "create table public.leak (org_id uuid)", "drop table public.leak"):
        assert "leak: no rows of both organizations to prove anything with" in prove(everyone, matrix, "leak").surprises
