"""app.calls_by_id: calls by their id, its beginning, or the ids that OpenAI gave them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from checks import executors
from ledgers import DAY, add_call
from people import People
from spending import uuid7

FIND = "select id from app.calls_by_id(%s, %s)"


def found(people: People, text: str, who: str = "dev", limit: int = 9) -> list[UUID]:
    with people.as_(who):
        return [row["id"] for row in people.all(FIND, text, limit)]


def a_call(people: People, who: str = "ada", minutes: int = 0, **changes: Any) -> UUID:
    at = DAY + timedelta(minutes=minutes)
    return add_call(people, who, at, id=uuid7(at), **changes)


def test_a_beginning_of_eight_digits_is_enough_and_letters_may_be_large(people: People) -> None:
    call, later = a_call(people), a_call(people, minutes=5)
    for text in (str(call), call.hex, str(call)[:8], str(call)[:13], str(call)[:-1], str(call).upper()):
        assert found(people, text) == [call], text
    assert found(people, str(later)[:20]) == [later]


def test_a_beginning_that_several_calls_have_finds_all_of_them_the_newest_first(people: People) -> None:
    calls = [uuid7(DAY + timedelta(milliseconds=n)) for n in range(3)]
    for n, call in enumerate(calls):
        add_call(people, "ada", DAY + timedelta(milliseconds=n), id=call)
    assert found(people, str(calls[0])[:8]) == calls[::-1]
    assert found(people, str(calls[0])[:8], limit=2) == calls[:0:-1]


def test_ids_of_openai_find_the_calls_that_have_them(people: People) -> None:
    made = a_call(people, upstream_object_id="chatcmpl-AbC", upstream_request_id="req_1")
    read = a_call(people, minutes=2, upstream_object_id="chatcmpl-AbC", upstream_request_id="0" * 32)
    assert found(people, "chatcmpl-AbC") == [read, made]
    assert found(people, "req_1") == [made]
    assert found(people, "0" * 32) == [read]


@pytest.mark.parametrize("text", ["", "0", "req_", "chatcmpl-a", "%", "_", "'", "zzzzzzzz", "-" * 36, "f" * 33])
def test_what_is_no_id_finds_nothing(people: People, text: str) -> None:
    a_call(people, upstream_object_id="chatcmpl-AbC", upstream_request_id="req_1")
    assert found(people, text) == []


def test_calls_of_others_and_of_the_other_books_are_not_there(people: People) -> None:
    theirs = a_call(people, "eve", upstream_object_id="resp_theirs")
    other = a_call(people, upstream="openai", upstream_request_id="req_other")
    for text in (theirs, "resp_theirs", other, "req_other", uuid4()):
        assert found(people, str(text)) == []
    assert found(people, "resp_theirs", "eve") == [theirs]
    with people.as_("nobody"):
        people.refused("42501", FIND, str(theirs), 9)
    assert executors(people.conn, "calls_by_id") == {"authenticated"}


SCANS = """
select substring(c.relname from 'id_started_at|object_id|request_id') as index,
    sum(pg_stat_get_xact_numscans(c.oid))::integer as n
from pg_class c
where c.relnamespace = 'private'::regnamespace and c.relkind in ('r', 'i') and c.relname ~ '^usage_logs_'
group by 1
"""


def test_only_indexes_of_ids_are_read(people: People) -> None:
    call = a_call(people, upstream_object_id="resp_1")
    before = {row["index"]: row["n"] for row in people.all(SCANS)}
    for text in (str(call)[:12], "resp_1"):
        assert found(people, text) == [call]
    after = {row["index"]: row["n"] for row in people.all(SCANS)}
    assert {name for name in after if after[name] > before[name]} == {"id_started_at", "object_id", "request_id"}
