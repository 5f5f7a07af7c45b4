"""app.day_settled: whether OpenAI said the same about a day twice in a row."""

from __future__ import annotations

from checks import executors
from openai_books import DAY, fetch
from people import People

LINE = ("key_a", "o3, output", 5, "tokens", "1")


def settled(people: People) -> bool:
    return people.one("select app.day_settled(%s, %s) as s", people.orgs["ada"], DAY)["s"]


def test_two_equal_fetches_in_a_row_settle_a_day(people: People) -> None:
    assert not settled(people)
    fetch(people, {DAY: [LINE]})
    assert not settled(people)
    fetch(people, {DAY: [LINE]})
    assert settled(people)
    fetch(people, {DAY: [LINE, ("key_a", "o3, input", 5, "tokens", "0.5")]})
    assert not settled(people)
    fetch(
        people,
        {
            DAY: [
                (None, "o3, output", None, None, "1.000"),
                (None, "o3, input", None, None, "0.5"),
                (None, "x", 1, None, 0),
            ]
        },
    )
    assert settled(people)  # an imported file: without keys and quantities


def test_the_same_sum_on_other_lines_or_of_another_project_is_a_change(people: People) -> None:
    fetch(people, {DAY: [LINE]})
    fetch(people, {DAY: [(*LINE[:1], "o3, input", *LINE[2:])]})
    assert not settled(people)
    fetch(people, {DAY: [(*LINE[:1], "o3, input", *LINE[2:])]}, project="proj_b")
    assert not settled(people)
    fetch(people, {DAY: []})
    assert not settled(people)


def test_a_day_that_had_not_ended_is_not_settled(people: People) -> None:
    made = fetch(people, {DAY: [LINE]})
    fetch(people, {DAY: [LINE]})
    people.conn.execute("alter table public.openai_days disable trigger user")
    people.conn.execute("update public.openai_days set whole = false where fetch_id = %s", [made])
    assert not settled(people)
    assert executors(people.conn, "day_settled") == set()
