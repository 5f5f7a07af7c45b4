"""app.admin_key_read: the encrypted admin key, for the role that reads provider keys."""

from __future__ import annotations

from checks import executors
from openai_books import DAY, fetch
from people import People

READ = "select * from app.admin_key_read(%s)"


def test_it_is_the_organizations_own_and_says_whether_anything_was_fetched(people: People) -> None:
    for who in ("ada", "eve"):
        with people.as_(who):
            people.one("select * from app.admin_key_set(%s, 'wxyz', null)", who.encode())
    fetch(people, {DAY: []}, who="eve")
    with people.as_role("spendai_proxy"):
        rows = {who: people.one(READ, people.orgs[who]) for who in ("ada", "eve")}
    assert rows["ada"] == {"ciphertext": b"ada", "base_url": None, "fetched": False}
    assert rows["eve"] == {"ciphertext": b"eve", "base_url": None, "fetched": True}
    assert people.one(READ, people.projects["ada"]) is None


def test_only_the_gateways_role_may_run_it(people: People) -> None:
    assert executors(people.conn, "admin_key_read") == {"spendai_proxy"}
    for who in ("ada", "nobody"):
        with people.as_(who):
            people.refused("42501", READ, people.orgs["ada"])
