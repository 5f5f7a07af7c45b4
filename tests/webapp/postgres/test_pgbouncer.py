"""The gateway on a database like Supabase's behind PgBouncer in transaction mode, two connections for each role."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import requests
from fake_gotrue import API_KEY, FakeGoTrue
from fake_upstream import FakeUpstream
from pooler import Pooler
from stack import SECRETS, Stack
from supabase_shape import supabase_database

from webapp import db
from webapp.config import load
from webapp.postgres.cluster import Cluster
from webapp.postgres.migrations import migrate

REQUESTS = 480


@pytest.fixture(scope="module")
def pooled(cluster: Cluster, fake: FakeUpstream) -> Iterator[SimpleNamespace]:
    """url of the gateway; orgs: two organizations that signed up over it; owner, admin: past the pooler."""
    owner, admin = supabase_database(cluster, "spendai_pooled")
    with FakeGoTrue(admin) as auth, Pooler(cluster, admin, default_pool_size="2") as pooler:
        environ = {
            "OPENAI_API_KEY": "sk-upstream", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": fake.url,
            "SUPABASE_URL": auth.url, "SUPABASE_PUBLISHABLE_KEY": API_KEY,
        }  # fmt: skip
        through = pooler.through(owner)
        config = load(SECRETS | {"DATABASE_URL": through, "SPENDAI_HOME": str(pooler.folder)})
        migrate(through, passwords=db.passwords(config))
        stack = Stack(through, admin, **environ)
        try:
            stack.start()
            yield SimpleNamespace(url=stack.url, log=stack.log, orgs=[joined(stack.url, n) for n in (0, 1)],
                                  owner=owner, admin=admin, stack=stack, through=through)  # fmt: skip
        finally:
            stack.stop()
            stack.home.cleanup()


def api(url: str, method: str, path: str, token: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.request(method, f"{url}/api/v1{path}", json=body, headers=headers, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def joined(url: str, n: int) -> SimpleNamespace:
    """An organization with an admin, a project and a key."""
    words = {"email": f"admin{n}@acme.test", "password": "correct horse 1", "organization": f"Organization {n}"}
    answer = requests.post(f"{url}/api/v1/auth/signup", json=words, timeout=30)
    assert answer.status_code == 201, answer.text
    token = answer.json()["access_token"]
    project = api(url, "POST", "/projects", token, {"name": f"project {n}"})["id"]
    key = api(url, "POST", f"/projects/{project}/keys", token, {"name": "main"})["key"]
    return SimpleNamespace(n=n, token=token, project=project, key=key, id=answer.json()["organization"]["id"])


def visit(pooled: SimpleNamespace, n: int) -> str:
    """One request of one of the organizations; asserts that only its own things come back."""
    org = pooled.orgs[n % 2]
    match n // 2 % 4:
        case 0:
            found = api(pooled.url, "GET", "/me", org.token)["organization"]
            assert found == {"id": org.id, "name": f"Organization {org.n}"}
        case 1:
            found = api(pooled.url, "GET", "/projects", org.token)["data"]
            assert [project["id"] for project in found] == [org.project]
        case 2:
            found = api(pooled.url, "GET", "/usage?group_by=project", org.token)["data"]
            assert {row["project_id"] for row in found} <= {org.project}
        case _:
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
            headers = {"Authorization": f"Bearer {org.key}"}
            url = f"{pooled.url}/api/v1/proxy/chat/completions"
            answer = requests.post(url, json=body, headers=headers, timeout=30)
            assert answer.status_code == 200, answer.text
            return f"{org.id} {answer.headers['x-spendai-call-id']}"
    return ""


def test_480_mixed_requests_of_two_organizations_are_never_mixed_up(pooled: SimpleNamespace) -> None:
    order = list(range(REQUESTS))
    random.Random(5).shuffle(order)
    with ThreadPoolExecutor(8) as pool:
        calls = {found for found in pool.map(lambda n: visit(pooled, n), order) if found}
    assert len(calls) == REQUESTS // 4
    with psycopg.connect(pooled.owner) as conn:
        rows = conn.execute("select concat(org_id, ' ', id), cost_status from public.usage_logs").fetchall()
    assert {row for row, _ in rows} == calls
    assert {status for _, status in rows} == {"priced"}
    assert "prepared" not in pooled.log() and "ERROR" not in pooled.log()


def test_the_gateway_leaves_nothing_in_a_connection_that_others_get_next(pooled: SimpleNamespace) -> None:
    for n in range(8):
        visit(pooled, n)
    password = db.password(pooled.stack.config, "spendai_web")
    parts = psycopg.conninfo.conninfo_to_dict(pooled.through) | {"user": "spendai_web", "password": password}
    with psycopg.connect(**parts, prepare_threshold=None, autocommit=True) as conn:
        for _ in range(20):
            row = conn.execute("select current_user::text, current_setting('request.jwt.claims', true),"
                               " (select count(*) from pg_prepared_statements)").fetchone()  # fmt: skip
            assert row[0] == "spendai_web" and not row[1] and row[2] == 0


def test_with_prepared_statements_the_same_gateway_would_fail(pooled: SimpleNamespace) -> None:
    """What DATABASE_PREPARED=0 is for: the same statement from two clients of one server connection."""
    parts = psycopg.conninfo.conninfo_to_dict(pooled.through)
    with pytest.raises(psycopg.errors.DuplicatePreparedStatement):
        for _ in range(4):
            with psycopg.connect(**parts, autocommit=True) as conn:
                conn.prepare_threshold = 0
                conn.execute("select 1")
