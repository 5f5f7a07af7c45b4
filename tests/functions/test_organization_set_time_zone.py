"""app.organization_set_time_zone."""

from __future__ import annotations

import psycopg
import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from people import People

SET = "select app.organization_set_time_zone(%s)"


def zones(people: People) -> dict[str, str]:
    return {row["name"]: row["time_zone"] for row in people.all("select name, time_zone from public.organizations")}


def test_an_admin_sets_only_her_own(people: People) -> None:
    assert zones(people) == {"Acme": "UTC", "Evil": "UTC"}
    with people.as_("ada"):
        people.one(SET, "Europe/Berlin")
    assert zones(people) == {"Acme": "Europe/Berlin", "Evil": "UTC"}
    line = ("organization.time_zone_set", people.orgs["ada"], {"from": "UTC", "to": "Europe/Berlin"})
    assert audit_lines(people, "ada")[-1] == line


def test_the_same_zone_again_is_no_change_and_no_line(people: People) -> None:
    before = audit_lines(people, "ada")
    with people.as_("ada"):
        people.one(SET, "UTC")
    assert audit_lines(people, "ada") == before


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", SET, "Europe/Berlin")
    strangers_are_refused(people, SET, "Europe/Berlin")


@pytest.mark.parametrize("name", [None, "", "No/Where", "europe/berlin", "+02", "CET-1", "CET", "Europe/Berlin "])
def test_what_is_no_name_of_a_zone_is_refused(people: People, name: str | None) -> None:
    assert refuses(people, "ada", "400 invalid_time_zone", SET, name).column_name == "time_zone"


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "organization_set_time_zone") == {"authenticated"}
