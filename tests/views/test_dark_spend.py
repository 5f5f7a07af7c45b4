"""dark_spend: what was spent past SpendAI."""

from __future__ import annotations

from openai_books import DAY, compare, each_reads_the_own, fetch, linked_key, moment
from people import People


def test_keys_and_uses_past_spendai_have_a_row_each_and_ours_has_none(people: People) -> None:
    linked_key(people)
    bill = [
        ("key_proxy", "o3, input", 1, "tokens", 1), ("key_laptop", "o3, input", 1, "tokens", 2),
        ("key_laptop", "o3, output", 1, "tokens", 4), (None, "evals | o3, input", 1, "tokens", 8),
        (None, "fine-tuning", 1, None, 16),
    ]  # fmt: skip
    made = fetch(people, {DAY: bill})
    people.conn.execute(
        "insert into public.openai_usage_lines (fetch_id, org_id, path, start_at, width, openai_project_id,"
        " openai_key_id, requests) select %s, %s, 'completions', %s, '1d', 'proj_a', 'key_laptop', n"
        " from generate_series(3, 4) n", [made, people.orgs["ada"], moment("00:00:00")],
    )  # fmt: skip
    people.conn.execute(
        "insert into public.openai_keys (org_id, id, name, ending, owner, seen_at)"
        " values (%s, 'key_laptop', 'laptop', 'wxyz', 'Bo', now())", [people.orgs["ada"]],
    )  # fmt: skip
    compare(people)
    with people.as_("dev"):
        rows = people.all("select openai_key, owner, surface, amount, requests from public.dark_spend order by amount")
    assert [tuple(row.values()) for row in rows] == [
        ("laptop", "Bo", None, 6, 7), (None, None, "evals", 8, None), (None, None, "no key", 16, None)]  # fmt: skip


def test_everyone_reads_those_of_the_own_organization(people: People) -> None:
    each_reads_the_own(people, "dark_spend")
