"""private.guard_usage_log; which changes it lets through is tested in tests/policies/test_usage_logs.py."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ledgers import add_call, add_open_call
from people import People

NOW = datetime.now(UTC)
SETTLE = "state = 'settled', settled_at = now(), cost = 1, cost_status = 'priced'"
FILL = "cost = 2, cost_status = 'priced', usage = '{}'"
CHANGE = "update public.usage_logs set {} where id = %s"


@pytest.fixture
def wider(people: People) -> People:
    """The ledger with a column that no function and no guard knows by name."""
    people.conn.execute("alter table public.usage_logs add column zone text, add column seats bigint default 1")
    return people


@pytest.mark.parametrize("changed", ["zone = 'eu'", "seats = 2", "seats = null"])
def test_a_new_column_of_a_settled_call_is_protected_without_naming_it(wider: People, changed: str) -> None:
    priced = add_call(wider, "ada", NOW)
    unpriced = add_call(wider, "ada", NOW, cost=None, cost_status="unpriced_model")
    wider.refused("PT405", CHANGE.format(changed), priced)
    wider.refused("PT405", CHANGE.format(changed), unpriced)
    wider.refused("PT405", CHANGE.format(f"{FILL}, {changed}"), unpriced)


@pytest.mark.parametrize("changed", ["zone = 'eu'", "seats = 2"])
def test_a_settle_changes_a_new_column_only_when_the_guard_names_it(wider: People, changed: str) -> None:
    call = add_open_call(wider, "ada", NOW)
    wider.refused("PT405", CHANGE.format(changed), call)
    wider.refused("PT405", CHANGE.format(f"{SETTLE}, {changed}"), call)


def test_a_call_is_settled_and_filled_beside_a_new_column(wider: People) -> None:
    opened = add_open_call(wider, "ada", NOW)
    unpriced = add_call(wider, "ada", NOW, cost=None, cost_status="unpriced_model")
    wider.conn.execute(CHANGE.format(SETTLE), [opened])
    wider.conn.execute(CHANGE.format(FILL), [unpriced])
    costs = wider.all("select cost, seats from public.usage_logs order by cost")
    assert costs == [{"cost": 1, "seats": 1}, {"cost": 2, "seats": 1}]


def test_a_value_written_over_itself_is_no_change(people: People) -> None:
    call = add_open_call(people, "ada", NOW, tags={"team": "web"}, end_user="u1")
    people.conn.execute(CHANGE.format(f"{SETTLE}, tags = tags, end_user = 'u1', endpoint = endpoint"), [call])
    assert people.one("select state from public.usage_logs where id = %s", call) == {"state": "settled"}


def test_it_holds_where_the_months_have_columns_in_another_order(people: People) -> None:
    """A month attached after columns were added and dropped has a row type of its own."""
    people.conn.execute("alter table public.usage_logs add column gone text, add column zone text")
    people.conn.execute("alter table public.usage_logs drop column gone")
    far = datetime(2031, 5, 10, 12, tzinfo=UTC)
    people.conn.execute("select app.ensure_partition(%s)", [far.date()])
    for at in (NOW, far):
        call = add_open_call(people, "ada", at)
        people.refused("PT405", CHANGE.format(f"{SETTLE}, zone = 'eu'"), call)
        people.conn.execute(CHANGE.format(SETTLE), [call])
        people.refused("PT405", CHANGE.format("zone = 'eu'"), call)


def test_settling_adds_tags_but_takes_none_away(people: People) -> None:
    call = add_open_call(people, "ada", NOW, tags={"team": "web"})
    for tags in ("{}", '{"env": "prod"}', '{"team": "chat", "env": "prod"}'):
        people.refused("PT405", CHANGE.format(f"{SETTLE}, tags = '{tags}'"), call)
    people.conn.execute(
        CHANGE.format(f'{SETTLE}, tags = \'{{"team": "web", "env": "prod"}}\', warning = \'w\''), [call]
    )
    people.refused("PT405", CHANGE.format("warning = null"), call)
    people.refused("PT405", CHANGE.format("tags = tags - 'env'"), call)
