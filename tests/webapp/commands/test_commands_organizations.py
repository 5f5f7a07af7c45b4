"""``flask organizations purge``: what is due is removed, everything else stays."""

from __future__ import annotations

from commands import operator  # noqa: F401  # a fixture
from spending import spent

NAMES = "select name from public.organizations order by name"


def test_only_organizations_that_are_due_are_removed(operator):  # noqa: F811
    people = operator.people()
    spent(people)
    done = operator.run("organizations", "purge")
    assert (done.exit_code, done.output) == (0, "no organization is to be removed now\n")
    acme = people.orgs["ada"]
    operator.conn.execute("update public.organizations set deletes_at = now() where id = %s", [acme])
    told = operator.run("organizations", "purge", "--dry-run")
    assert (told.exit_code, told.output) == (0, f"Acme ({acme}) would be removed\n")
    assert [row["name"] for row in operator.rows(NAMES)] == ["Acme", "Evil"]
    done = operator.run("organizations", "purge")
    assert done.exit_code == 0 and done.output.startswith(f"Acme ({acme}) is removed: "), done.output
    assert [row["name"] for row in operator.rows(NAMES)] == ["Evil"]
    assert operator.rows("select count(*) as calls from public.usage_logs") == [{"calls": 0}]
