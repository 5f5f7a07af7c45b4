"""Keys in a browser: made, shown once, rotated, revoked."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from conftest import Site
from seeded import Acme, spend, text
from werkzeug.test import TestResponse

from webapp.secrets.hashing import sha256_of

SECRET = re.compile(r"sk-spend-[0-9a-f]{32}-[\w-]{43}")


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def create(team: Acme, **form: str) -> TestResponse:
    form = {"form_id": str(uuid4()), "project": team.project["id"], "name": "new key", "expires": ""} | form
    return team.browser.post("/keys", shown="/keys", **form)


def marked_wrong(page: str) -> dict[str, str]:
    """The fields that assistive technology calls invalid, id → the message that describes them."""
    fields = re.findall(r'id="([\w-]+)"(?=[^>]* aria-invalid="true")[^>]* aria-describedby="([\w-]+)"', page)
    return {field: re.search(rf'id="{note}">([^<]*)<', page)[1].strip() for field, note in fields}


def test_a_key_is_shown_once_with_a_call_that_has_it_filled_in(site: Site, team: Acme) -> None:
    answer = create(team)
    (key,) = set(SECRET.findall(answer.text))
    assert f"Authorization: Bearer {key}" in text(answer) and f'api_key="{key}"' in text(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert site.sql("select count(*) from api_keys where key_hash = %s", sha256_of(key)) == [(1,)]
    assert not SECRET.search(team.browser.get("/keys").text)
    assert key[:17] in team.browser.get("/keys").text


def test_the_form_sent_twice_makes_one_key_and_never_shows_it_again(site: Site, team: Acme) -> None:
    form_id = str(uuid4())
    assert SECRET.search(create(team, form_id=form_id).text)
    again = create(team, form_id=form_id)
    assert again.status_code == 409 and not SECRET.search(again.text)
    assert "This form was sent already" in text(again)
    assert site.sql("select count(*) from api_keys where project_id = %s", team.project["id"]) == [(2,)]


@pytest.mark.parametrize(("form", "words", "status"), [
    ({"name": " "}, "A name is needed.", 400),
    ({"name": "x" * 201}, "A name has at most 200 characters.", 400),
    ({"expires": "2020-01-01"}, "The expiry has passed already.", 400),
    ({"expires": "soon"}, "A date is written 2026-01-31.", 400),
    ({"expires": "9999-12-31"},
     "A key expires before the year 3000. Give no expiry to a key that never expires.", 400),
    ({"project": "nonsense"}, "Choose a project.", 400),
    ({"project": str(uuid4())}, "No such project.", 404),
])  # fmt: skip
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    team: Acme, form: dict[str, str], words: str, status: int
) -> None:
    answer = create(team, **form)
    assert answer.status_code == status and words in text(answer)
    if status == 400:
        typed = {"name": "new key", "expires": ""} | form
        assert f'value="{typed["name"]}"' in answer.text and f'value="{typed["expires"]}"' in answer.text
        field = {"name": "key-name", "expires": "key-expires", "project": "key-project"}[next(iter(form))]
        assert marked_wrong(answer.text) == {field: words}


def test_the_last_day_of_a_key_is_a_whole_day(site: Site, team: Acme) -> None:
    day = (datetime.now(UTC) + timedelta(days=10)).date()
    create(team, name="short", expires=day.isoformat())
    (until,) = site.sql(
        "select expires_at at time zone 'utc' from api_keys where name = 'short' order by created_at desc"
    )[0]
    assert until == datetime.combine(day, datetime.min.time()) + timedelta(days=1)


def test_names_in_any_script_survive_and_html_stays_text(team: Acme) -> None:
    for name in ("<script>alert(1)</script>", "ключ 🔑 مفتاح", '"><img src=x>', "x" * 200):
        create(team, name=name)
        page = team.browser.get("/keys")
        assert name in text(page) if "<" not in name else name not in page.text
        assert "<script>alert" not in page.text and "<img src=x>" not in page.text


def test_rotating_shows_a_new_key_and_the_old_one_ends_later(site: Site, team: Acme) -> None:
    old = team.key["id"]
    answer = team.browser.post(f"/keys/{old}/rotate", overlap_seconds="3600")
    (new,) = set(SECRET.findall(answer.text))
    assert new != team.key["key"] and "which goes on working until its overlap ends" in text(answer)
    (left,) = site.sql("select extract(epoch from expires_at - now()) from api_keys where id = %s", old)[0]
    assert 3500 < left <= 3600
    again = team.browser.post(f"/keys/{old}/rotate", overlap_seconds="3600")
    assert again.status_code == 409 and "has been rotated already" in text(again)
    wrong = team.browser.post(f"/keys/{new_id(site, new)}/rotate", overlap_seconds="-5")
    assert wrong.status_code == 400 and "The overlap is 0 to 2592000 seconds" in text(wrong)


def new_id(site: Site, key: str) -> str:
    return str(site.sql("select id from api_keys where key_hash = %s", sha256_of(key))[0][0])


def test_revoking_asks_first_and_needs_no_script(site: Site, team: Acme) -> None:
    path = f"/keys/{team.key['id']}/revoke"
    assert f'href="{path}"' in team.browser.get("/keys").text
    asked = team.browser.get(path)
    assert "Revoke main?" in text(asked)
    assert site.sql("select revoked_at from api_keys where id = %s", team.key["id"]) == [(None,)]
    assert team.browser.post(path).location == f"/keys/{team.key['id']}"
    page = text(team.browser.get("/keys"))
    assert "Key revoked." in page and " revoked " in page
    assert team.browser.post(path, shown="/keys").status_code == 302  # twice is no error


@pytest.mark.parametrize(("calls", "words"), [(1, "1 refused call today"), (1214, "1,214 refused calls today")])
def test_a_revoked_key_that_is_still_used_is_shown_so(site: Site, team: Acme, calls: int, words: str) -> None:
    assert "still used" not in text(team.browser.get("/keys"))
    team.browser.post(f"/keys/{team.key['id']}/revoke")
    counted = [{"n": 0, "calls": {sha256_of(team.key["key"]).hex(): calls}}]
    site.sql("select app.count_refusals(%s::jsonb)", json.dumps(counted))
    assert f"revoked still used: {words}" in " ".join(text(team.browser.get("/keys")).split())
    table = list(csv.DictReader(io.StringIO(team.browser.get("/keys.csv").text.removeprefix("\ufeff"))))
    assert [row["refused_today"] for row in table] == [str(calls)]


def test_a_developer_sees_keys_but_no_controls_and_is_refused(site: Site, team: Acme) -> None:
    page = team.devs.get("/keys")
    assert "main" in text(page) and "/revoke" not in page.text and 'action="/keys"' not in page.text
    assert f"ask {team.ada.email}" in text(page)
    key = team.key["id"]
    for path, form in (
        ("/keys", {"project": team.project["id"], "name": "mine", "form_id": str(uuid4())}),
        (f"/keys/{key}/revoke", {}), (f"/keys/{key}/rotate", {"overlap_seconds": "0"}),
    ):  # fmt: skip
        assert team.devs.post(path, shown="/keys", **form).status_code == 403, path
        assert path == "/keys" or team.devs.get(path).status_code == 403
    assert site.sql("select count(*) from api_keys where project_id = %s", team.project["id"]) == [(1,)]


def test_another_organizations_key_is_not_there(site: Site, team: Acme) -> None:
    for verb in ("revoke", "rotate"):
        path = f"/keys/{team.key['id']}/{verb}"
        assert team.eves.get(path).status_code == 404
        assert team.eves.post(path, shown="/keys", overlap_seconds="0").status_code == 404
    assert "main" not in text(team.eves.get("/keys"))
    assert site.sql("select revoked_at from api_keys where id = %s", team.key["id"]) == [(None,)]


def test_a_new_key_is_for_no_project_until_one_is_chosen_or_the_one_of_the_list(team: Acme) -> None:
    chosen = re.compile(r'<option value="([^"]*)" selected>')
    form = re.compile(r'<select id="key-project".*?</select>', re.S)

    def preselected(path: str) -> list[str]:
        return chosen.findall(form.search(team.browser.get(path).text)[0])

    assert preselected("/keys") == []
    assert preselected(f"/keys?project={team.project['id']}") == [team.project["id"]]
    answer = create(team, project="")
    assert answer.status_code == 400 and 'id="key-project-note">Choose a project.' in answer.text


def test_a_key_has_a_page_where_an_admin_changes_it_and_a_developer_reads(site: Site, team: Acme) -> None:
    path = f"/keys/{team.key['id']}"
    spend(site, team)
    page = team.browser.get(path)
    assert f"Made by {team.ada.email}" in text(page) and "$0.00045" in text(page) and "Ends never" in text(page)
    assert f'href="/calls?key={team.key["id"]}"' in page.text
    day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    assert team.browser.post(path, name="nightly", note="ask Bo", expires=day).location == path
    page = team.browser.get(path)
    assert "ask Bo" in text(page) and f'value="{day}"' in page.text
    sql = "select expires_at, note from api_keys where id = %s"
    before = site.sql(sql, team.key["id"])
    team.browser.post(path, name="nightly 2", note="ask Bo", expires=day)
    assert site.sql(sql, team.key["id"]) == before
    team.browser.post(path, name="nightly 2", note="", expires="")
    assert site.sql(sql, team.key["id"]) == [(None, None)]
    wrong = team.browser.post(path, name="", note="kept", expires="")
    assert wrong.status_code == 400 and "A name is needed." in text(wrong) and 'value="kept"' in wrong.text
    wrong = team.browser.post(path, name="x", note="", expires="2020-01-01")
    assert marked_wrong(wrong.text) == {"expires": "The expiry has passed already. Revoke the key to end it now."}
    audit = text(team.browser.get("/audit"))
    assert "renamed key main to nightly" in audit and "set the expiry of key nightly" in audit
    page = team.devs.get(path)
    assert "nightly 2" in text(page) and "<textarea" not in page.text and 'name="note"' not in page.text
    assert "/revoke" not in page.text and f"ask {team.ada.email}" in text(page)
    assert team.devs.post(path, shown="/keys", name="mine").status_code == 403
    assert team.eves.get(path).status_code == team.eves.post(path, shown="/keys", name="mine").status_code == 404


def test_the_generations_of_a_key_are_on_its_page_each_with_its_spend(site: Site, team: Acme) -> None:
    spend(site, team)
    new = new_id(
        site, SECRET.search(team.browser.post(f"/keys/{team.key['id']}/rotate", overlap_seconds="3600").text)[0]
    )
    spend(site, team, api_key_id=new)
    old = team.browser.get(f"/keys/{team.key['id']}")
    assert "A rotation replaced this key" in text(old) and f'href="/keys/{new}' in old.text
    page = text(team.browser.get(f"/keys/{new}"))
    assert "2. " in page and "this one" in page and "All 2 $0.00090" in page
    assert f"/keys/{new}/rotate" in team.browser.get(f"/keys/{new}").text and "/rotate" not in old.text


def test_the_spend_of_a_key_and_of_who_made_it_is_marked_where_a_call_has_no_known_cost(site: Site, team: Acme) -> None:
    spend(site, team)
    spend(site, team, model="gpt-99")
    key = team.browser.get(f"/keys/{team.key['id']}").text
    maker = re.search(r'href="(/team/[0-9a-f-]{36})', key)[1]
    for page in (key, team.browser.get(maker).text):
        assert '$0.00045 <span class="warn">+ ?</span></a></dd>' in page


def test_the_list_is_searched_filtered_grouped_and_read_page_by_page(site: Site, team: Acme) -> None:
    other = team.ada.post("/projects", {"name": "batches"}).json
    for number in range(101):
        site.sql("""insert into api_keys (id, org_id, project_id, name, prefix, key_hash, created_by)
            values (gen_random_uuid(), %s, %s, %s, 'sk-spend-x', sha256(gen_random_uuid()::text::bytea), %s)""",
            team.ada.organization["id"], other["id"], f"job {number:03}", team.ada.user["id"])  # fmt: skip
    first = team.browser.get("/keys?sort=name")
    assert "1–100 of 102 keys" in text(first) and "job 099" in text(first) and "job 100" not in text(first)
    assert "All 102 keys" in text(first) and 'href="/keys?sort=name&amp;page=2"' in first.text
    second = text(team.browser.get("/keys?sort=name&page=2"))
    assert "job 100" in second and "101–102 of 102 keys" in second and "job 099" not in second
    found = text(team.browser.get(f"/keys?q=JOB+05&project={other['id']}&state=active&person={team.ada.user['id']}"))
    assert "All 10 keys" in found and "main" not in found
    assert "No key fits." in text(team.browser.get("/keys?state=revoked"))
    assert "No key fits." in text(team.browser.get("/keys?page=9"))
    assert 'scope="colgroup"' in team.browser.get("/keys?sort=project").text
    spend(site, team)
    unused = team.browser.get("/keys?used=no&q=main").text
    assert "No key fits." in unused and "<title>Keys: “main”, Without a call in this period, " in unused
    assert re.search(r'<input type="checkbox" name="used" value="no" checked>', unused)
    assert team.browser.get("/keys?page=0").status_code == team.browser.get("/keys?sort=nothing").status_code == 400
    table = list(csv.DictReader(io.StringIO(team.browser.get("/keys.csv?q=job").text.removeprefix("\ufeff"))))
    assert len(table) == 101


def test_a_new_key_comes_with_how_to_send_tags(team: Acme) -> None:
    page = team.browser.post("/keys", project=team.project["id"], name="tagged", form_id=str(uuid4()))
    assert "x-spendai-tags: team=search, env=prod" in text(page)
