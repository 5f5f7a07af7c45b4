"""app.key_links_by_ending: the only key of OpenAI's list with the ending and project of a provider key."""

from __future__ import annotations

from uuid import UUID

from checks import executors
from openai_books import call, moment
from people import People

LINK = "select app.key_links_by_ending(%s) as n"
USAGE = {"input_tokens": 5, "output_tokens": 5}


def version(people: People, last4: str = "xyzA", who: str = "ada") -> UUID:
    people.conn.execute("update public.organizations set books = 'openai' where id = %s", [people.orgs[who]])
    return people.one(
        "insert into public.provider_key_versions (org_id, last4) values (%s, %s) returning id", people.orgs[who], last4
    )["id"]


def listed(people: People, key: str, ending: str = "xyzA", project: str = "proj_a", who: str = "ada") -> None:
    people.conn.execute(
        "insert into public.openai_keys (org_id, id, openai_project_id, ending, seen_at)"
        " values (%s, %s, %s, %s, now())",
        [people.orgs[who], key, project, ending],
    )


def linked(people: People, who: str = "ada") -> list[tuple]:
    """Run it; (version, OpenAI's key, how) of all links."""
    people.one(LINK, people.orgs[who])
    rows = people.all("select * from public.key_links where ended_at is null order by openai_key_id")
    return [(row["version_id"], row["openai_key_id"], row["how"]) for row in rows]


def test_one_candidate_is_linked_once_and_audited(people: People) -> None:
    key = version(people)
    listed(people, "key_1")
    listed(people, "key_2", "other")
    assert linked(people) == linked(people) == [(key, "key_1", "ending")]
    (line,) = people.all("select * from public.audit_log where action = 'key_link.set'")
    assert (line["org_id"], line["subject_id"], line["details"]["openai_key_id"]) == (people.orgs["ada"], key, "key_1")


def test_three_visible_characters_are_enough_and_two_are_not(people: People) -> None:
    key = version(people)
    listed(people, "key_1", "zA")
    assert linked(people) == []
    listed(people, "key_2", "yzA")
    assert linked(people) == [(key, "key_2", "ending")]


def test_of_several_none_is_linked_until_an_answer_named_the_project(people: People) -> None:
    key = version(people)
    listed(people, "key_1")
    listed(people, "key_2", project="proj_b")
    assert linked(people) == []
    call(people, key, moment("09:00:00"), "gpt-4o-mini", USAGE, openai_project="proj_b")
    people.conn.execute("update public.provider_key_versions set until = '2026-10-15' where id = %s", [key])
    assert linked(people) == [(key, "key_2", "ending")]


def test_a_key_of_another_project_than_the_answers_named_is_not_linked(people: People) -> None:
    key = version(people)
    listed(people, "key_1")
    call(people, key, moment("09:00:00"), "gpt-4o-mini", USAGE, openai_project="proj_b")
    people.conn.execute("update public.provider_key_versions set until = '2026-10-15' where id = %s", [key])
    assert linked(people) == []


def test_a_link_that_an_admin_ended_is_not_made_again(people: People) -> None:
    version(people)
    listed(people, "key_1")
    linked(people)
    people.conn.execute("update public.key_links set ended_at = now()")
    assert linked(people) == []


def test_a_short_key_and_another_organizations_key_are_not_linked(people: People) -> None:
    version(people, "")
    listed(people, "key_0", "")
    version(people, who="eve")
    listed(people, "key_1")
    assert linked(people) == linked(people, "eve") == []


def test_the_installs_key_is_linked_for_the_organization_it_serves_alone(people: People) -> None:
    for who in ("ada", "eve"):
        listed(people, f"key_{who}", "inst", who=who)
    people.conn.execute("insert into public.provider_key_versions (shared, last4) values (true, 'inst')")
    assert linked(people) == linked(people, "eve") == []
    people.conn.execute("update public.provider_key_versions set until = now() where org_id is null")
    people.conn.execute("insert into public.provider_key_versions (shared, last4) values (false, 'inst')")
    first = people.one("select first_org_id as id from private.install")["id"]
    served = next(who for who in ("ada", "eve") if people.orgs[who] == first)
    links = linked(people, "eve") + linked(people)
    assert {openai_key for _, openai_key, _ in links} == {f"key_{served}"}


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "key_links_by_ending") == set()
