"""app.focus_unknown: how many calls an export leaves out."""

from checks import executors
from closes import MONTH, month
from openai_books import call, doubtful, moment
from people import People


def test_calls_without_a_known_cost_are_counted(people: People) -> None:
    month(people)
    call(people, None, moment("10:00:00"), "no-such-model", {"input_tokens": 5, "output_tokens": 5})
    call(people, None, moment("11:00:00"), "gpt-4o-mini", None)
    doubtful(people, None, moment("12:00:00"), "gpt-4o-mini")
    assert people.one("select app.focus_unknown(%s, %s) as n", people.orgs["ada"], MONTH)["n"] == 3
    assert people.one("select app.focus_unknown(%s, %s) as n", people.orgs["eve"], MONTH)["n"] == 0
    assert executors(people.conn, "focus_unknown") == set()
