"""app.openai_lines: a day of a fetch by the ledger's names, and what of it is not ours."""

from __future__ import annotations

from decimal import Decimal as D
from uuid import UUID

from checks import executors
from openai_books import DAY, Line, call, fetch, linked_key, moment
from people import People

ASK = "select line, reason, openai_key_id, quantity, amount from app.openai_lines(%s, %s, %s) order by amount"


def lines(people: People, fetch_id: UUID, who: str = "ada") -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in people.all(ASK, people.orgs[who], fetch_id, DAY)]


BILL: list[Line] = [
    ("key_proxy", "gpt-4o-mini-2024-07-18, input", 1, "1000_tokens", "0.1"),
    ("key_proxy", "gpt-4o-mini, input", 500, "tokens", "0.2"),
    ("key_second", "gpt-4o-mini, input", 10, "tokens", "0.4"),
    ("key_laptop", "gpt-4o-mini, input", 7, "tokens", 3),
    (None, "gpt-4o-mini, input", 8, "tokens", 5),
    ("key_proxy", "evals | o3, input", 9, "tokens", 7),
]


def test_lines_of_linked_keys_are_added_up_and_all_others_stay_apart(people: People) -> None:
    linked_key(people)
    made = fetch(people, {DAY: BILL})
    assert lines(people, made) == [
        ("gpt-4o-mini, input", None, "key_proxy", 1500, D("0.3")),
        ("gpt-4o-mini, input", "outside_key", "key_second", 10, D("0.4")),
        ("gpt-4o-mini, input", "outside_key", "key_laptop", 7, 3),
        ("gpt-4o-mini, input", "surface", None, 8, 5),
        ("evals | o3, input", "surface", "key_proxy", 9, 7),
    ]


def test_a_link_that_was_undone_and_a_foreign_one_say_nothing(people: People) -> None:
    linked_key(people, "eve", "key_laptop")
    linked_key(people)
    people.conn.execute("update public.key_links set ended_at = now()")
    reasons = [row[1] for row in lines(people, fetch(people, {DAY: BILL}))]
    assert set(reasons) == {"outside_key", "surface"} and reasons.count("surface") == 2


def test_a_file_knows_projects_and_no_keys(people: People) -> None:
    key = linked_key(people)
    bill: list[Line] = [(None, "gpt-4o-mini, input", 8, "tokens", 5)]
    ours, other = (fetch(people, {DAY: bill}, project=name, grain="project") for name in ("proj_a", "proj_b"))
    assert [row[1] for made in (ours, other) for row in lines(people, made)] == [None, None]
    call(
        people, key, moment("09:00:00"), "gpt-4o-mini", {"input_tokens": 8, "output_tokens": 0}, openai_project="proj_a"
    )
    assert [row[1] for made in (ours, other) for row in lines(people, made)] == [None, "outside_key"]


def test_a_quantity_that_openai_does_not_give_is_none(people: People) -> None:
    linked_key(people)
    made = fetch(
        people, {DAY: [("key_proxy", "whisper", "1.5", "duration_minutes", 1), ("key_proxy", "x", None, None, 2)]}
    )
    assert lines(people, made) == [
        ("whisper-1, audio_seconds", None, "key_proxy", 90, 1), ("x", None, "key_proxy", None, 2)]  # fmt: skip


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "openai_lines") == set()
