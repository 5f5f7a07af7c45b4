"""app.filter_choices: what the filters of a page offer."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from checks import executors
from ledgers import DAY, add_call, adjust
from people import People
from spending import another_key, days_ago, spent
from totals import EARLY, LATE

Rows = list[dict[str, Any]]
CHOICES = "select * from app.filter_choices(%s, %s, %s::jsonb, %s)"


def choices(people: People, who: str = "ada", limit: int = 100, **filters: list[str]) -> dict[str, Rows]:
    """Filter → the rows it offers, in order."""
    found: dict[str, Rows] = {}
    with people.as_(who):
        for row in people.all(CHOICES, EARLY, LATE, json.dumps(filters), limit):
            found.setdefault(row.pop("filter"), []).append(row)
    return found


def values(rows: Rows) -> list[str]:
    return [row["value"] for row in rows]


def test_projects_keys_and_their_makers_are_offered_whether_or_not_they_called(people: People) -> None:
    found = choices(people, "dev")
    assert [row["name"] for row in found["project"]] == ["chat"]
    (key,) = found["key"]
    assert (key["value"], key["prefix"], key["project"]) == (
        str(people.keys["ada"].id),
        people.keys["ada"].prefix,
        "chat",
    )
    (person,) = found["person"]
    assert (person["value"], person["name"]) == (str(people.ids["ada"]), "ada@acme.test")
    assert set(found) == {"project", "key", "person"}


def test_models_endpoints_tiers_and_status_codes_are_those_of_calls_in_the_period(people: People) -> None:
    add_call(people, "ada", model="gpt-5", endpoint="/v1/responses", service_tier="flex", status_code=200)
    add_call(people, "ada", model="gpt-4o", endpoint="/v1/responses", service_tier=None, status_code=429)
    add_call(people, "ada", model="gpt-3.5", at=EARLY - timedelta(seconds=1))
    add_call(people, "eve", model="of-eve")
    found = choices(people)
    assert values(found["model"]) == ["gpt-4o", "gpt-5"]
    assert values(found["endpoint"]) == ["/v1/responses"]
    assert (values(found["service_tier"]), values(found["status"])) == (["flex"], ["200", "429"])


def test_a_model_of_which_no_call_is_left_since_the_one_that_served_became_known_is_not_offered(people: People) -> None:
    made = {"account": "a", "upstream_object_id": "r1"}
    spent(people, at=days_ago(2), model=None, model_requested="asked-for", outcome="pending", usage=None,
          endpoint="/v1/responses", **made)  # fmt: skip
    look = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}")
    people.settle_calls(people.settle_message("ada", look, model="gpt-4o-mini", **made))
    with people.as_("ada"):
        rows = people.all(CHOICES, days_ago(7), days_ago(-1), "{}", 100)
    assert [row["value"] for row in rows if row["filter"] == "model"] == ["gpt-4o-mini"]


def test_a_model_of_which_only_a_correction_was_booked_in_the_period_is_offered(people: People) -> None:
    adjust(people, add_call(people, "ada", at=days_ago(5), model="gpt-5", cost=Decimal(1)), Decimal("0.5"), days_ago(1))
    add_call(people, "ada", at=days_ago(5), model="gpt-4o", cost=Decimal(1))
    with people.as_("ada"):
        rows = people.all(CHOICES, days_ago(2), days_ago(-1), "{}", 100)
    assert [row["value"] for row in rows if row["filter"] == "model"] == ["gpt-5"]


def test_of_too_many_the_chosen_ones_and_the_dearest_are_offered_and_all_are_counted(people: People) -> None:
    for n in range(5):
        add_call(people, "ada", model=f"model-{n}", cost=Decimal(n))
    rows = choices(people, limit=2)["model"]
    assert values(rows) == ["model-3", "model-4"] and {row["known"] for row in rows} == {5}
    assert values(choices(people, limit=2, model=["model-0"])["model"]) == ["model-0", "model-4"]
    assert values(choices(people, limit=2, not_model=["model-1", "model-0"])["model"]) == ["model-0", "model-1"]


def test_keys_are_those_of_the_chosen_projects_and_grouped_by_them(people: People) -> None:
    search, other = another_key(people, "Assistant")
    mine = str(people.keys["ada"].id)
    assert values(choices(people)["key"]) == [str(other), mine], "in the order of their projects"
    assert values(choices(people, project=[str(search)])["key"]) == [str(other)]
    assert values(choices(people, project=[str(search)], key=[mine])["key"]) == [str(other), mine], "a chosen one stays"


def test_it_is_the_askers_own_alone(people: People) -> None:
    add_call(people, "ada", at=DAY, model="of-ada")
    of_ada, of_eve = choices(people), choices(people, "eve", key=[str(people.keys["ada"].id)])
    assert "model" not in of_eve and not set(values(of_ada["key"])) & set(values(of_eve["key"]))
    people.sign_up("lone", "lone@nowhere.test")
    assert choices(people, "lone") == {}
    with people.as_("nobody"):
        people.refused("42501", CHOICES, EARLY, LATE, "{}", 1)
    assert executors(people.conn, "filter_choices") == {"authenticated"}
