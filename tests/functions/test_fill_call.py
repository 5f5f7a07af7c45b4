"""app.fill_call: a missing cost is filled once, and the fill is recorded."""

from decimal import Decimal

import pytest

USAGE = '{"input_tokens": 7, "output_tokens": 3}'
FILL = "select app.fill_call(%s, %s, %s, %s, '[]', %s, null, 'gpt-x', 'flex', 'a price arrived') as done"


def fill(people, row, cost, status):
    return people.one(FILL, row["id"], row["started_at"], cost, status, USAGE)["done"]


def test_an_unpriced_call_gets_its_cost_and_a_line_in_cost_fills(people):
    row = people.call("ada", model="unheard-of", model_requested="unheard-of")
    assert (row["cost"], row["cost_status"]) == (None, "unpriced_model")
    assert fill(people, row, Decimal("0.5"), "priced")
    new = people.one("select * from usage_logs where id = %s", row["id"])
    assert (new["cost"], new["cost_status"], new["tokens_in"], new["model"]) == (Decimal("0.5"), "priced", 7, "gpt-x")
    line = people.one("select * from cost_fills where call_id = %s", row["id"])
    assert (line["old_status"], line["new_status"], line["cost"]) == ("unpriced_model", "priced", Decimal("0.5"))
    assert line["reason"] == "a price arrived"
    assert not fill(people, row, Decimal("0.9"), "priced"), "a known cost was changed"


def test_a_call_that_has_a_cost_is_never_touched(people):
    row = people.call("ada")
    assert not fill(people, row, Decimal("9"), "priced")
    assert people.one("select cost from usage_logs where id = %s", row["id"])["cost"] == row["cost"]
    assert people.all("select * from cost_fills") == []


@pytest.mark.parametrize(
    "role", ["authenticated", "anon", "service_role", "spendai_web", "spendai_proxy", "spendai_auth"]
)
def test_nobody_but_the_owner_may_call_it(people, role):
    with people.as_role(role):
        people.refused("42501", FILL, None, None, None, None, None)


def test_usage_without_a_token_does_not_replace_what_a_call_is_known_to_have_used(people):
    row = people.call("ada", model="unheard-of", model_requested="unheard-of")
    zeros = '{"input_tokens": 0, "output_tokens": 0}'
    assert not people.one(FILL, row["id"], row["started_at"], 0, "priced", zeros)["done"]
    assert people.one("select * from usage_logs where id = %s", row["id"]) == row
