"""app.organization_export: what an admin exports of the organization."""

from __future__ import annotations

from checks import executors
from people import People

EXPORT = "select * from app.organization_export()"


def test_every_table_of_organizations_is_there_without_hashes(people: People) -> None:
    with people.as_("ada"):
        tables = {row["name"]: row for row in people.all(EXPORT)}
    known = people.all(
        "select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace"
        " and c.relkind in ('r', 'p') and not c.relispartition"
    )
    assert {row["name"] for row in known} - set(tables) == {"price_aliases"}, "a table of nobody's"
    assert "prefix" in tables["api_keys"]["columns"] and "key_hash" not in tables["api_keys"]["columns"]
    assert "token_hash" not in tables["invitations"]["columns"]
    assert tables["usage_logs"]["ordered_by"] == ["started_at", "id"]
    assert tables["reconciled_parts"]["ordered_by"] == ["org_id", "day", "n"]
    assert {"cost", "tokens_in", "tokens_out"} <= set(tables["usage_logs"]["added_up"])
    assert all(row["ordered_by"] and set(row["ordered_by"]) <= set(row["columns"]) for row in tables.values())


def test_it_is_audited_and_only_for_admins(people: People) -> None:
    with people.as_("ada"):
        people.all(EXPORT)
        line = people.one("select * from app.audit_page(null, null, 1)")
    assert (line["action"], line["actor_id"]) == ("organization.exported", people.ids["ada"])
    with people.as_("dev"):
        people.refused("PT403", EXPORT)
    with people.as_("nobody"):
        people.refused("42501", EXPORT)


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "organization_export") == {"authenticated"}
