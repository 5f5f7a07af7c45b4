"""app.month_reopen_for: the operator reopens a month of an organization."""

from checks import executors
from closes import MONTH, close, month
from people import People


def test_the_operator_reopens_and_the_audit_log_names_no_person(people: People) -> None:
    month(people)
    close(people)
    people.one("select app.month_reopen_for(%s, %s, 'why')", people.orgs["ada"], MONTH)
    row = people.one("select * from public.month_closes order by n desc limit 1")
    assert (row["status"], row["closed_by"], row["openai"]) == ("reopened", None, None)
    line = people.one("select actor_id, subject_id from public.audit_log where action = 'month.reopened'")
    assert (line["actor_id"], line["subject_id"]) == (None, row["id"])


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "month_reopen_for") == set()
