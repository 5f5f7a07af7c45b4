"""Keys for tests of linking: provider keys of an organization, and OpenAI's list of its keys."""

from __future__ import annotations

from uuid import UUID

from people import People


def provider_key(people: People, last4: str = "xyzA", who: str = "ada", ended: bool = True) -> UUID:
    """A version of a provider key of the organization; ended: another one has replaced it."""
    query = """insert into public.provider_key_versions (org_id, last4, until)
        values (%s, %s, case when %s then now() + interval '1 h' end) returning id"""
    return people.one(query, people.orgs[who], last4, ended)["id"]


def keys_of_openai(people: People, who: str = "ada", project: str | None = "proj_a", **endings: str) -> None:
    """OpenAI's list as last seen: keys of one project, id → visible ending."""
    for key, ending in endings.items():
        people.conn.execute(
            "insert into public.openai_keys (org_id, id, openai_project_id, name, ending, owner_kind, owner, seen_at)"
            " values (%s, %s, %s, %s, %s, 'user', 'Grace', now())",
            [people.orgs[who], key, project, key.removeprefix("key_"), ending],
        )
