"""app.dark_keys."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from checks import executors
from openai_books import DAY, compare, worked_day
from openai_keys import keys_of_openai
from people import People

DARK = "select * from app.dark_keys(%s, %s)"


def test_each_key_and_each_other_use_is_one_row_over_the_days(people: People) -> None:
    ids = worked_day(people)
    people.conn.execute(
        "insert into public.openai_usage_lines (fetch_id, org_id, path, start_at, width, openai_project_id,"
        " openai_key_id, requests) values (%s, %s, 'completions', %s, '1d', 'proj_a', 'key_laptop', 12)",
        [ids["fetch"], people.orgs["ada"], f"{DAY}T00:00Z"],
    )
    keys_of_openai(people, key_laptop="tooP")
    compare(people)
    with people.as_("dev"):
        laptop, evals = people.all(DARK, DAY, DAY + timedelta(days=1))
        assert people.all(DARK, DAY - timedelta(days=3), DAY) == []
    assert (laptop["openai_key"], laptop["openai_key_ending"], laptop["owner"]) == ("laptop", "tooP", "Grace")
    assert (laptop["amount"], laptop["requests"], laptop["surface"]) == (D("0.15"), 12, None)
    assert (evals["surface"], evals["amount"], evals["requests"], evals["openai_key_id"]) == (
        "evals",
        D("0.0015"),
        None,
        None,
    )
    with people.as_("eve"):
        assert people.all(DARK, DAY, DAY + timedelta(days=1)) == []
    assert executors(people.conn, "dark_keys") == {"authenticated"}
