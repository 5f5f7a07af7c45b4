"""flask users delete: the operator deletes the account of somebody who cannot do it."""

from __future__ import annotations

from commands import Operator, operator  # noqa: F401  # a fixture

FOUND = "select count(*) as n from auth.users where email = 'dev@acme.test'"


def test_an_account_is_deleted_once(operator: Operator) -> None:  # noqa: F811
    operator.people()
    done = operator.run("users", "delete", "Dev@acme.test ")
    assert done.exit_code == 0, done.output
    assert operator.rows(FOUND) == [{"n": 0}]
    again = operator.run("users", "delete", "dev@acme.test")
    assert (again.exit_code, "nobody signs in with dev@acme.test" in again.output) == (1, True)


def test_the_only_admin_of_an_organization_is_not_deleted(operator: Operator) -> None:  # noqa: F811
    operator.people()
    refused = operator.run("users", "delete", "ada@acme.test")
    assert (refused.exit_code, "needs an admin" in refused.output) == (1, True)
