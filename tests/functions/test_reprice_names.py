"""app.reprice_names: names in an organization's calls, each with its price model; test_reprice_new reads them too."""

from __future__ import annotations

from checks import executors
from people import People
from spending import spent

USAGE = {"prompt_tokens": 1, "completion_tokens": 0}


def test_every_name_of_a_call_that_can_cost_something_is_there_with_its_price_model(people: People) -> None:
    spent(people, model="gpt-4o-mini-2024-07-18", usage=USAGE)
    spent(people, model="gpt-99", usage=USAGE, tools={"web_search_calls": 1})
    spent(people, model="gpt-5", usage=None, outcome="error", status_code=500)
    spent(people, "eve", model="o3", usage=USAGE)
    rows = people.all("select name, model from app.reprice_names(%s) order by name", people.orgs["ada"])
    found = {row["name"]: row["model"] for row in rows}
    assert found == {"*tools": "*tools", "gpt-4o-mini-2024-07-18": "gpt-4o-mini", "gpt-99": None}
    assert executors(people.conn, "reprice_names") == set()
