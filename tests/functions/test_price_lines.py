"""app.price_lines: lines of a cost, each with its price row."""

from __future__ import annotations

from datetime import UTC, datetime

from checks import executors
from people import People
from pricing import add_price

LINES = "select l.* from public.usage_logs u, app.price_lines(u.cost_lines) l where u.id = %s order by l.n"


def test_each_line_has_its_price_row_with_source_date_and_revision(people: People) -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    price = add_price(people.conn, "gpt-4o-mini", "input_text", "0.2", valid_from=at, revision=3, source="a letter")
    call = people.call("ada")
    lines = people.all(LINES, call["id"])
    assert sum(line["cost"] for line in lines) == call["cost"]
    (line,) = [line for line in lines if line["dimension"] == "input_text"]
    assert (line["price_id"], line["source"], line["valid_from"], line["revision"], line["own_price"]) == (
        price, "a letter", at, 3, False,
    )  # fmt: skip


def test_only_people_may_run_it_and_the_price_of_another_organization_stays_hidden(people: People) -> None:
    assert executors(people.conn, "price_lines") == {"authenticated"}
    price = add_price(people.conn, "gpt-4o-mini", "input_text", "0.2", org_id=people.orgs["eve"])
    with people.as_("ada"):
        row = people.one(
            """select source from app.price_lines(jsonb_build_array(jsonb_build_object('price_id', %s::bigint)))""",
            price,
        )
    assert row["source"] is None
