"""private.refuse_change: append-only tables refuse every update, delete and truncate."""

from __future__ import annotations

import pytest
from checks import append_only
from people import People

GUARDED = """
select distinct tgrelid::regclass::text as name from pg_trigger
where tgfoid = 'private.refuse_change'::regproc and tgtype & 1 = 1
"""


def test_it_is_the_trigger_of_what_must_never_change(people: People) -> None:
    assert {row["name"] for row in people.all(GUARDED)} == {
        "audit_log", "cost_adjustments", "cost_fills", "model_prices", "private.price_sync_runs", "month_closes",
        "openai_cost_lines", "openai_days", "openai_fetches", "openai_usage_lines",
    }  # fmt: skip


def test_no_role_changes_a_line_and_the_message_names_the_table(people: People) -> None:
    append_only(people, "public.audit_log")
    for statement in ("update public.audit_log set action = 'x'", "delete from public.audit_log"):
        error = people.refused("PT405", statement)
        assert (error.diag.message_primary, error.diag.message_detail) == ("audit_log is append-only", "append_only")


@pytest.mark.parametrize("role", ["postgres", None])
def test_not_even_the_owner_or_a_superuser_truncates(people: People, role: str | None) -> None:
    people.conn.execute(f"set local role {role}" if role else "reset role")
    people.refused("PT405", "truncate public.audit_log")
    people.conn.execute("set role postgres")
