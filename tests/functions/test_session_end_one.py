"""app.session_end_one: one session of a person ends."""

from __future__ import annotations

from uuid import UUID, uuid4

from checks import executors
from people import People

END = "select app.session_end_one(%s, %s) as ended"


def sessions(people: People, name: str) -> list[UUID]:
    return [row["id"] for row in people.all("select * from app.session_list(%s, %s)", people.ids[name], b"0" * 32)]


def test_one_browser_or_api_session_of_this_person_ends_and_no_other(people: People) -> None:
    for n, who in enumerate(("ada", "ada", "eve")):
        people.one(
            "select app.web_session_start(%s, %s, '{}', null, 600, null, null)", bytes([n]) * 32, people.ids[who]
        )
        people.one("select app.login_session_start(%s, %s, null, null)", people.ids[who], bytes([n]) * 32)
    with people.as_role("spendai_auth"):
        before = {who: sessions(people, who) for who in ("ada", "eve")}
        for ended in (before["ada"][0], before["ada"][3]):
            assert people.one(END, people.ids["eve"], ended)["ended"] is False
            assert people.one(END, people.ids["ada"], ended)["ended"] is True
            assert people.one(END, people.ids["ada"], ended)["ended"] is False
        assert people.one(END, people.ids["ada"], uuid4())["ended"] is False
        assert set(sessions(people, "ada")) == set(before["ada"][1:3]) and sessions(people, "eve") == before["eve"]


def test_only_sign_in_may_run_it(people: People) -> None:
    assert executors(people.conn, "session_end_one") == {"spendai_auth"}
