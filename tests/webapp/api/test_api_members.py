"""Members and invitations by API, and the rules that keep an organization with an admin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from conftest import Api, Site


def test_an_invitation_link_is_shown_once_and_only_its_hash_is_kept(site: Site) -> None:
    ada, email = site.sign_up(), site.email()
    made = ada.post("/invitations", {"email": f" {email.upper()} ", "role": "developer"}).json
    assert made["email"] == email
    assert made["link"] == f"{site.config.public_url}/invitation/{made['token']}"
    listed = ada.get("/invitations")
    assert [(i["id"], i["email"], i["state"]) for i in listed.json["data"]] == [(made["id"], email, "open")]
    assert made["token"] not in listed.text
    assert not any(made["token"] in text for (text,) in site.sql("select i::text from public.invitations i"))


@pytest.mark.parametrize(("body", "param"),
    [({"email": "x", "role": "developer"}, "email"), ({"email": "a@b.test", "role": "owner"}, "role"),
    ({"email": "", "role": "admin"}, "email"), ({"email": "a@b.test", "role": ""}, "role")])  # fmt: skip
def test_an_invitation_that_makes_no_sense_is_refused(site: Site, body: dict[str, str], param: str) -> None:
    answer = site.sign_up().post("/invitations", body)
    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


def test_inviting_tells_nothing_about_accounts_elsewhere(site: Site) -> None:
    ada, eve = site.sign_up(), site.sign_up()
    known, unknown = (ada.post("/invitations", {"email": e, "role": "admin"}) for e in (eve.email, site.email()))
    assert known.status_code == unknown.status_code == 201
    assert set(known.json) == set(unknown.json)
    again = ada.post("/invitations", {"email": ada.email, "role": "admin"})
    assert (again.status_code, again.json["error"]["code"]) == (409, "already_member")


def test_a_person_with_an_untouched_organization_moves(site: Site) -> None:
    ada, dev = site.sign_up(organization="Acme"), site.sign_up()
    token = ada.post("/invitations", {"email": dev.email, "role": "developer"}).json["token"]
    joined = dev.post("/invitations/accept", {"token": token})
    assert joined.json == {"user": dev.user | {"role": "developer"}, "organization": ada.organization}
    assert dev.get("/me").json == joined.json
    assert site.sql("select count(*) from public.organizations where id = %s", dev.organization["id"]) == [(0,)]


def test_a_person_whose_organization_is_in_use_stays(site: Site) -> None:
    ada, eve = site.sign_up(), site.sign_up()
    eve.post("/projects", {"name": "hers"})
    token = ada.post("/invitations", {"email": eve.email, "role": "developer"}).json["token"]
    answer = eve.post("/invitations/accept", {"token": token})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "other_organization")
    assert eve.get("/me").json["organization"] == eve.organization


def test_dead_and_foreign_invitations_get_one_answer(site: Site) -> None:
    ada, dev, eve = site.sign_up(), site.sign_up(), site.sign_up()

    def invite() -> str:
        return ada.post("/invitations", {"email": dev.email, "role": "developer"}).json["token"]

    first, second = invite(), invite()
    answers = [dev.post("/invitations/accept", {"token": first}), eve.post("/invitations/accept", {"token": second}),
               dev.post("/invitations/accept", {"token": "never-made"}),
               dev.post("/invitations/accept", {"token": ""})]  # fmt: skip
    site.sql("update public.invitations set expires_at = now() where email = %s", dev.email)
    answers.append(dev.post("/invitations/accept", {"token": second}))
    third = invite()
    ada.call("DELETE", f"/invitations/{ada.get('/invitations').json['data'][0]['id']}")
    answers.append(dev.post("/invitations/accept", {"token": third}))
    assert {(a.status_code, a.json["error"]["code"]) for a in answers} == {(404, "invitation_invalid")}
    fourth = invite()
    assert dev.post("/invitations/accept", {"token": fourth}).status_code == 200
    assert dev.post("/invitations/accept", {"token": fourth}).status_code == 404
    assert {i["state"] for i in ada.get("/invitations").json["data"]} == {"accepted", "revoked"}


def test_roles_change_at_the_next_request(site: Site) -> None:
    team = site.team()
    path = f"/members/{team.dev.user['id']}"
    assert team.ada.call("PATCH", path, {"role": "admin"}).json["role"] == "admin"
    assert team.dev.post("/projects", {"name": "now I may"}).status_code == 201
    assert team.ada.call("PATCH", path, {"role": "developer"}).json["role"] == "developer"
    assert team.dev.post("/projects", {"name": "no more"}).status_code == 403
    refused = team.ada.call("PATCH", path, {"role": "owner"})
    assert (refused.status_code, refused.json["error"]["param"]) == (400, "role")


def test_who_is_removed_sees_nothing_from_the_next_request_on(site: Site) -> None:
    team = site.team()
    team.ada.post("/projects", {"name": "chat"})
    assert team.dev.get("/projects").json["data"]
    assert team.ada.call("DELETE", f"/members/{team.dev.user['id']}").status_code == 204
    assert team.dev.get("/projects").json["data"] == []
    assert team.dev.get("/me").json == {"user": team.dev.user | {"role": None}, "organization": None}
    assert [m["email"] for m in team.ada.get("/members").json["data"]] == [team.ada.email]


def test_a_developer_may_leave_and_the_last_admin_may_not(site: Site) -> None:
    team = site.team()
    for method, body in (("PATCH", {"role": "developer"}), ("DELETE", None)):
        answer = team.ada.call(method, f"/members/{team.ada.user['id']}", body)
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "last_admin")
    assert team.dev.call("DELETE", f"/members/{team.dev.user['id']}").status_code == 204


def test_two_admins_who_demote_each_other_at_once_leave_one(site: Site) -> None:
    team = site.team()
    for _ in range(5):
        team.ada.call("PATCH", f"/members/{team.dev.user['id']}", {"role": "admin"})
        team.dev.call("PATCH", f"/members/{team.ada.user['id']}", {"role": "admin"})
        barrier = Barrier(2)

        def demote(who: Api, whom: Api, barrier: Barrier = barrier) -> int:
            barrier.wait()
            return who.call("PATCH", f"/members/{whom.user['id']}", {"role": "developer"}).status_code

        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(demote, *pair) for pair in ((team.ada, team.dev), (team.dev, team.ada))]
        assert sorted(running.result() for running in done) == [200, 403]
        assert sorted(m["role"] for m in team.ada.get("/members").json["data"]) == ["admin", "developer"]
