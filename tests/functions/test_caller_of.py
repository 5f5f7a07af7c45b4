"""app.caller_of: whose key it is and where its calls go. What follows for calls is tested with open_calls."""

from __future__ import annotations

from checks import executors
from people import People

ASK = "select * from app.caller_of(%s, %s, %s)"
INSTALL = b"i" * 32
STORED = """
with made as (insert into public.provider_key_versions (org_id, project_id, last4) values (%s, %s, 'abcd') returning *)
insert into private.provider_keys (id, org_id, project_id, ciphertext, last4, fingerprint)
select id, org_id, project_id, %s, last4, %s from made
"""


def ask(people: People, name: str = "ada", install: str = "none") -> dict:
    return people.one(ASK, people.keys[name].hash.hex(), install, INSTALL)


def test_a_key_that_nobody_has_is_of_nobody(people: People) -> None:
    assert set(people.one(ASK, "00" * 32, "shared", INSTALL).values()) == {None}


def test_the_install_s_key_serves_as_its_operator_says(people: People) -> None:
    people.conn.execute("update private.install set first_org_id = %s", [people.orgs["ada"]])
    people.conn.execute("update public.organizations set books = 'openai'")
    seen = {who: [(found["upstream"], found["shared"]) for install in ("none", "first", "shared")
                  if (found := ask(people, who, install))] for who in ("ada", "eve")}  # fmt: skip
    assert seen["ada"] == [(None, False), ("openai", False), ("openai", True)]
    assert seen["eve"] == [(None, False), (None, False), ("openai", True)]


def test_the_project_s_own_openai_key_comes_before_that_of_the_organization(people: People) -> None:
    org, project = people.orgs["ada"], people.projects["ada"]
    people.conn.execute(STORED, [org, None, b"organization", b"o" * 32])
    found = ask(people)
    assert (found["ciphertext"], found["is_own"], found["shared"]) == (b"organization", True, False)
    people.conn.execute(STORED, [org, project, b"project", b"p" * 32])
    found = ask(people)
    assert (found["ciphertext"], found["provider_project_id"]) == (b"project", project)
    people.conn.execute(STORED, [people.orgs["eve"], None, b"the same", b"p" * 32])
    assert ask(people)["shared"], "another organization stored the same OpenAI key"


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "caller_of") == set()
