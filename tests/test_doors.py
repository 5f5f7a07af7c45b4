"""One company's numbers through every door: the page, supabase-py, an analyst's own login, the owner's SQL."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import requests
from analysts import new_analyst
from postgrest_server import PostgREST, jwt_key
from psycopg.conninfo import make_conninfo
from stack import Stack

from webapp.written import exact

PERSON = {"email": "olga@doors.test", "password": "correct horse battery"}
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4o-mini")
Numbers = tuple[Decimal, dict[str, Decimal], dict[str, Decimal]]
pytestmark = pytest.mark.filterwarnings("ignore:The .* parameter is deprecated:DeprecationWarning")


@pytest.fixture
def olga(stack: Stack) -> dict[str, Any]:
    """What signing up answered; her company spends in two projects on two models, and so do others."""
    person = requests.post(f"{stack.url}/api/v1/auth/signup", json=PERSON | {"organization": "Doors"}).json()
    headers = {"Authorization": f"Bearer {person['access_token']}"}
    for name in ("search", "chat"):
        project = requests.post(f"{stack.url}/api/v1/projects", json={"name": name}, headers=headers).json()
        keys = f"{stack.url}/api/v1/projects/{project['id']}/keys"
        spend(stack, requests.post(keys, json={"name": "main"}, headers=headers).json()["key"])
    spend(stack, stack.key("ada"))
    return person


def spend(stack: Stack, key: str) -> None:
    for model in MODELS:
        body = {"model": model, "messages": [{"role": "user", "content": "Hello " * 50}]}
        answer = requests.post(
            f"{stack.proxy}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        assert answer.status_code == 200


def added(rows: list[dict[str, Any]], name: str) -> dict[str, Decimal]:
    """Cost by what a row is called, over all days."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row[name]] = sums.get(row[name], Decimal(0)) + Decimal(str(row["cost"]))
    return sums


def in_sql(dsn: str, where: str = "true", *args: str) -> Numbers:
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as conn:

        def rows(view: str) -> list[dict[str, Any]]:
            return conn.execute(f"select * from public.{view} where {where}", args).fetchall()

        total = sum((row["cost"] for row in rows("spend_daily")), Decimal(0))
        return total, added(rows("spend_by_project"), "project"), added(rows("spend_by_model"), "model")


def on_the_page(stack: Stack) -> tuple[Numbers, str]:
    """What the Spend page's table says, and the page itself."""
    browser = requests.Session()
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{stack.url}/login").text)[1]
    assert browser.post(f"{stack.url}/login", data=PERSON | {"csrf_token": token}).status_code == 200

    def table(by: str) -> dict[str, Decimal]:
        rows = csv.DictReader(browser.get(f"{stack.url}/spend.csv", params={"by": by}).text.splitlines())
        return added(list(rows), by)

    by_project = table("project")
    return (sum(by_project.values()), by_project, table("model")), browser.get(stack.url).text


def by_supabase_py(stack: Stack, token: str) -> Numbers:
    """Costs come as text: JSON has no exact numbers."""
    with psycopg.connect(stack.admin_dsn, autocommit=True) as admin:
        admin.execute("alter role authenticator password 'isolation'")
    dsn = make_conninfo(stack.environ["DATABASE_URL"], user="authenticator", password="isolation")
    with PostgREST(dsn, jwt_key(stack.config.secret_key)) as api:
        client = api.client(token)
        days = client.table("spend_daily").select("cost::text").execute().data
        projects = client.table("spend_by_project").select("project,cost::text").execute().data
        models = client.table("spend_by_model").select("model,cost::text").execute().data
    return sum(Decimal(row["cost"]) for row in days), added(projects, "project"), added(models, "model")


def test_the_same_three_numbers_stand_behind_every_door(stack: Stack, olga: dict[str, Any]) -> None:
    org, owner = olga["organization"]["id"], stack.environ["DATABASE_URL"]
    expected = in_sql(owner, "org_id = %s", org)
    total, projects, models = expected
    page, html = on_the_page(stack)
    assert page == expected and exact(total) in html
    assert by_supabase_py(stack, olga["access_token"]) == expected
    assert in_sql(new_analyst(owner, org)) == expected
    assert set(projects) == {"search", "chat"} and len(models) == 2
    assert total == sum(projects.values()) == sum(models.values()) > 0
    assert in_sql(owner)[0] > total  # others spend too
