"""app.evidence_close: an admin closes a call with what OpenAI counted in its minute."""

from __future__ import annotations

from decimal import Decimal as D

from checks import audit_lines, executors, refuses, strangers_are_refused
from openai_books import DAY, call, compare, doubtful, fetch, linked_key, minute, moment, named, worked_day
from people import People

CLOSE = "select app.evidence_close(%s)"
SEE = "select state, cost, cost_status, tokens_in, tokens_out, model from public.usage_logs where id = %s"


def test_a_call_in_doubt_gets_usage_and_cost_and_its_part_of_the_difference_is_gone(people: People) -> None:
    doubt = worked_day(people)["doubt"]
    before = set(named(compare(people)))
    with people.as_("ada"):
        people.one(CLOSE, doubt)
    row = people.one(SEE, doubt)
    assert (row["state"], row["cost"], row["cost_status"]) == ("settled", D("0.0123"), "priced")
    assert (row["tokens_in"], row["tokens_out"]) == (50000, 8000)
    assert audit_lines(people, "ada")[-1][:2] == ("call.proven", doubt)
    gone = before - set(named(compare(people)))
    assert gone == {("gpt-4o-mini, input", "in_doubt"), ("gpt-4o-mini, output", "in_doubt")}
    refuses(people, "ada", "404 evidence_not_found", CLOSE, doubt)


def test_a_call_without_usage_too_but_none_without_a_price_or_a_minute(people: People) -> None:
    key = linked_key(people)
    silent = call(people, key, moment("17:00:00"), "gpt-4o-mini", None, cost=None, cost_status="no_usage")
    unpriced, unproven = (doubtful(people, key, moment(clock), "gpt-99") for clock in ("18:00:00", "19:00:00"))
    made = fetch(people, {DAY: []})
    minute(people, made, moment("17:00:00"), "gpt-4o-mini", output_tokens=10)
    minute(people, made, moment("18:00:00"), "gpt-99", output_tokens=10)
    refuses(people, "ada", "409 evidence_unpriced", CLOSE, unpriced)
    refuses(people, "ada", "404 evidence_not_found", CLOSE, unproven)
    with people.as_("ada"):
        people.one(CLOSE, silent)
    assert people.one(SEE, silent)["cost"] == D("0.000006")


def test_developers_other_organizations_and_strangers_cannot(people: People) -> None:
    doubt = worked_day(people)["doubt"]
    refuses(people, "dev", "403 admin_required", CLOSE, doubt)
    refuses(people, "eve", "404 evidence_not_found", CLOSE, doubt)
    strangers_are_refused(people, CLOSE, doubt)
    assert executors(people.conn, "evidence_close") == {"authenticated"}
