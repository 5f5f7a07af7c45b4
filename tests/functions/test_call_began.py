"""app.call_began: when a call arrived, from its id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from checks import executors
from people import People

from webapp.gateway.call import new_id

BEGAN = "select app.call_began(%s) as at"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("ms", [0, 1, 999, 1_700_000_000_001, 1_795_942_800_999, 4_102_444_799_999])
def test_it_is_the_millisecond_the_gateway_put_into_the_id(people: People, ms: int) -> None:
    with people.as_("ada"):
        assert people.one(BEGAN, new_id(ms))["at"] == EPOCH + timedelta(milliseconds=ms)


def test_it_is_the_started_at_of_every_call_that_the_gateway_opens(people: People) -> None:
    opened = people.open_message("ada", **people.now_id())
    people.open_calls(opened)
    with people.as_("ada"):
        row = people.one("select u.started_at, app.call_began(u.id) as began from public.usage_logs u")
    assert row["began"] == row["started_at"]


def test_another_kind_of_id_gives_some_moment_and_no_error(people: People) -> None:
    with people.as_("ada"):
        late = "select app.call_began(%s) > '9999-01-01' as late, app.call_began(null) as nothing"
        assert people.one(late, UUID(int=(1 << 128) - 1)) == {"late": True, "nothing": None}


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "call_began") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", BEGAN, uuid4())
