"""public.websocket_sessions: the organization's own, which nobody changes."""

from __future__ import annotations

import pytest
from people import ROLES, People


def begin(people: People, name: str) -> str:
    message = people.open_message(name, endpoint="/v1/realtime", method="WEBSOCKET", begins_session=True)
    assert people.open_calls(message)[0]["outcome"] == "opened"
    return message["id"]


@pytest.mark.parametrize("table", ["websocket_sessions", "sessions"])
def test_everyone_sees_the_sessions_of_the_own_organization(people: People, table: str) -> None:
    sessions = {"ada": begin(people, "ada"), "eve": begin(people, "eve")}
    for who, whose in {"ada": "ada", "dev": "ada", "eve": "eve"}.items():
        with people.as_(who):
            assert [str(row["id"]) for row in people.all(f"select id from public.{table}")] == [sessions[whose]]
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all(f"select id from public.{table}") == []


@pytest.mark.parametrize("statement", [
    "update public.websocket_sessions set close_code = 1", "delete from public.websocket_sessions",
    "insert into public.websocket_sessions (id) values (gen_random_uuid())",
])  # fmt: skip
@pytest.mark.parametrize("role", ROLES)
def test_nobody_writes_a_session(people: People, role: str, statement: str) -> None:
    begin(people, "ada")
    with people.as_role(role):
        people.refused("42501", statement)
