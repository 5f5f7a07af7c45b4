"""app.ensure_organization: the first sign-in makes an organization, once."""

from __future__ import annotations

import psycopg
import pytest
from checks import executors, person, refuses, side_by_side
from people import HASH, People

ENSURE = "select * from app.ensure_organization(%s, %s, %s)"


def test_the_first_sign_in_makes_an_organization_with_the_person_as_admin(people: People) -> None:
    lone = people.sign_up("lone", "Lone@Nowhere.test")
    with people.as_("lone"):
        made = people.one(ENSURE, " Lone Ltd ", "none", False)
        assert (made["name"], made["role"], made["books"]) == ("Lone Ltd", "admin", "sandbox")
        assert people.one("select * from app.me()")["org_id"] == made["org_id"]
    member = people.one("select * from public.members where user_id = %s", lone)
    assert (member["role"], member["email"]) == ("admin", "lone@nowhere.test")


def test_later_sign_ins_get_the_same_organization_whatever_name_they_say(people: People) -> None:
    for who, role in (("ada", "admin"), ("dev", "developer")):
        with people.as_(who):
            again = people.one(ENSURE, "Something else", "first", True)
        assert (again["org_id"], again["name"], again["role"], again["books"]) == (
            people.orgs["ada"],
            "Acme",
            role,
            "sandbox",
        )
    assert people.one("select count(*) as n from public.organizations")["n"] == 2


@pytest.mark.parametrize("name", [None, "", "  "])
def test_without_a_name_the_organization_is_called_after_the_address(people: People, name: str | None) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.one(ENSURE, name, "none", False)["name"] == "nowhere.test"


def test_a_domain_that_is_too_long_for_a_name_is_cut(people: People) -> None:
    domain = f"{'x' * 60}.{'y' * 60}.{'z' * 60}.somewhere-or-nowhere.test"
    people.sign_up("lone", f"lone@{domain}")
    with people.as_("lone"):
        assert people.one(ENSURE, None, "none", False)["name"] == domain[:200]


def test_a_bad_name_is_refused_and_nothing_is_made(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    assert refuses(people, "lone", "400 name_too_long", ENSURE, "x" * 201, "none", False).column_name == "organization"
    assert people.one("select count(*) as n from public.members")["n"] == 3


@pytest.mark.parametrize(
    ("column", "value"), [("email_confirmed_at", None), ("deleted_at", "now"), ("is_anonymous", True)]
)
def test_an_unconfirmed_deleted_or_anonymous_account_gets_none(people: People, column: str, value: object) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    people.conn.execute("reset role")  # accounts belong to the identity provider
    people.conn.execute(f"update auth.users set {column} = %s where email = 'lone@nowhere.test'", [value])
    people.conn.execute("set role postgres")
    refuses(people, "lone", "403 email_not_confirmed", ENSURE, "Lone", "none", False)
    with people.as_role("authenticated"):
        assert people.refused("PT403", ENSURE, "Lone", "none", False).diag.message_detail == "email_not_confirmed"


def test_only_the_first_organization_gets_the_installs_key_and_only_the_first(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.one(ENSURE, "Lone", "first", False)["books"] == "sandbox"
    assert people.one("select first_org_id from private.install")["first_org_id"] == people.orgs["ada"]


def test_a_shared_key_serves_every_organization_from_its_first_moment(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.one(ENSURE, "Lone", "shared", False)["books"] == "openai"


def test_the_first_person_of_an_install_with_a_key_has_real_books(people: People) -> None:
    people.conn.execute("delete from private.install")
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.one(ENSURE, "Lone", "first", False)["books"] == "openai"


def test_by_invitation_only_the_first_person_needs_none(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    refuses(people, "lone", "403 signup_closed", ENSURE, "Lone", "none", True)
    people.conn.execute("delete from private.install")
    with people.as_("lone"):
        assert people.one(ENSURE, "Lone", "none", True)["role"] == "admin"


def test_a_new_address_of_the_account_is_taken_over(people: People) -> None:
    people.conn.execute("reset role")
    people.conn.execute("update auth.users set email = 'ada.new@acme.test' where id = %s", [people.ids["ada"]])
    people.conn.execute("set role postgres")
    with people.as_("ada"):
        people.one(ENSURE, None, "none", False)
        assert people.one("select email from app.me()")["email"] == "ada.new@acme.test"


def test_only_people_may_run_it(db: psycopg.Connection, people: People) -> None:
    assert executors(db, "ensure_organization") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", ENSURE, "N", "none", False)


def test_sixteen_first_requests_at_once_make_one_organization(own_dsn: str) -> None:
    with psycopg.connect(own_dsn, autocommit=True) as conn:
        (user,) = conn.execute("select local_auth.create_user('lone@nowhere.test', %s)", [HASH]).fetchone()

    def first_request() -> tuple[object, ...]:
        with person(own_dsn, user) as conn:
            return conn.execute(ENSURE, ["Lone", "none", False]).fetchone()

    answers = side_by_side(*[first_request] * 16)
    with psycopg.connect(own_dsn) as conn:
        (org,) = conn.execute("select id from public.organizations").fetchall()
        assert set(answers) == {(org[0], "Lone", "admin", "sandbox")}
        assert conn.execute("select org_id, role from public.members").fetchall() == [(org[0], "admin")]
