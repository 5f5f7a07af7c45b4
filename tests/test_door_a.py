"""Door A: Supabase's API with a person's token, by supabase-py: the rows of the pages, and nothing by any trick."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import requests
from isolation.world import World
from postgrest.exceptions import APIError
from postgrest_server import PostgREST, jwt_key

from webapp.auth.identity import Person
from webapp.auth.tokens import Signer
from webapp.config import ROOT

# supabase-py warns about how it itself uses its parts.
pytestmark = pytest.mark.filterwarnings("ignore:The .* parameter is deprecated:DeprecationWarning")
VIEWS = "select relname::text as name from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace"
SESSION = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def api(everyone: World) -> Iterator[PostgREST]:
    with PostgREST(everyone["nobody"].dsn, jwt_key(everyone.config.secret_key)) as running:
        yield running


@pytest.fixture
def issued(everyone: World) -> Callable[..., str]:
    """Makes the access token of a person, with other claims or another key if wanted."""

    def issue(name: str = "ada", key: bytes = jwt_key(everyone.config.secret_key), **claims: Any) -> str:
        genuine = Signer(everyone.config).issue(Person(everyone[name].claims["sub"], f"{name}@example.test"), SESSION)
        return jwt.encode(jwt.decode(genuine, options={"verify_signature": False}) | claims, key, "HS256")

    return issue


def refused(api: PostgREST, token: str, code: str, query: Callable[[Any], Any]) -> str:
    """Assert that a request of supabase-py's fails with this code; the message."""
    with pytest.raises(APIError) as raised:
        query(api.client(token)).execute()
    assert raised.value.code == code, raised.value
    return raised.value.message


@pytest.mark.parametrize(("name", "org"), [("ada", "acme"), ("dev", "acme"), ("eve", "evil")])
def test_supabase_py_reads_every_view_and_sees_the_rows_of_the_pages(
    everyone: World, api: PostgREST, issued: Callable[..., str], name: str, org: str
) -> None:
    client = api.client(issued(name))
    views = [row["name"] for row in everyone.owner.execute(VIEWS).fetchall()]
    assert len(views) >= 8
    for view in views:
        rows = client.table(view).select("*").execute().data
        count = everyone[name].conn.execute(f"select count(*) as n from public.{view}").fetchone()["n"]
        assert len(rows) == count > 0
        if view != "part_reasons":  # is the same for everybody
            assert {row["org_id"] for row in rows} == {str(getattr(everyone, org))}


def test_the_loop_of_the_page_for_analysts_reads_each_row_once(
    everyone: World, api: PostgREST, issued: Callable[..., str]
) -> None:
    """docs/analysts.md has it, with pages of 1,000 rows; here a page has one."""
    code = re.search(r"^def every.*?    return rows\n", (ROOT / "docs/analysts.md").read_text(), re.S | re.M)[0]
    found: dict[str, Any] = {}
    exec(code.replace("999", "0"), found)  # the reader copies it in the same way
    client = api.client(issued())
    rows = found["every"](lambda: client.table("calls").select("id").order("cost_status").order("id"))
    expected = everyone["ada"].conn.execute("select id::text from public.calls order by cost_status, id").fetchall()
    assert rows == expected and len(rows) > 1


def test_a_person_without_organization_reads_nothing(api: PostgREST, issued: Callable[..., str]) -> None:
    for table in ("calls", "spend_daily", "projects", "members"):
        assert api.client(issued("lone")).table(table).select("*").execute().data == []


@pytest.mark.parametrize("select", ["*", "key_hash", "id,key_hash", "id,projects(name),key_hash"])
def test_the_hash_of_a_key_is_never_selected(api: PostgREST, issued: Callable[..., str], select: str) -> None:
    refused(api, issued(), "42501", lambda client: client.table("api_keys").select(select))


def test_the_other_columns_of_a_key_are(api: PostgREST, issued: Callable[..., str]) -> None:
    assert [row["name"] for row in api.client(issued()).table("api_keys").select("id,name").execute().data] == ["main"]
    refused(api, issued(), "42501", lambda client: client.table("api_keys").select("id").eq("key_hash", "\\x00"))
    refused(api, issued(), "42501", lambda client: client.table("api_keys").select("id").order("key_hash"))


def test_nothing_is_written(everyone: World, api: PostgREST, issued: Callable[..., str]) -> None:
    for org in (everyone.acme, everyone.evil):
        row = {"org_id": str(org), "name": "x"}
        refused(api, issued(), "42501", lambda client, row=row: client.table("projects").insert(row))
        refused(
            api, issued(), "42501", lambda client, org=org: client.table("projects").delete().eq("org_id", str(org))
        )
    refused(api, issued(), "42501", lambda client: client.table("usage_logs").update({"cost": 0}).eq("stream", False))
    refused(api, issued(), "55000", lambda client: client.table("spend_daily").update({"cost": 0}).eq("calls", 1))


def test_an_embedded_table_shows_no_more_than_the_table_itself(
    everyone: World, api: PostgREST, issued: Callable[..., str]
) -> None:
    rows = api.client(issued()).table("projects").select("name,api_keys(name,org_id)").execute().data
    assert {key["org_id"] for row in rows for key in row["api_keys"]} == {str(everyone.acme)}


@pytest.mark.parametrize("table", ["calls", "projects", "usage_logs", "price_aliases", "members"])
def test_without_a_token_nothing_is_read(api: PostgREST, table: str) -> None:
    answer = requests.get(f"{api.url}/rest/v1/{table}", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "42501")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": int(time.time()) - 60}, "PGRST301"),
        ({"aud": "somebody else"}, "PGRST301"),
        ({"key": b"another key that is long enough...."}, "PGRST301"),
        ({"nbf": int(time.time()) + 86_400}, "PGRST301"),
        ({"role": "postgres"}, "42501"),
        ({"role": "supabase_admin"}, "42501"),
        ({"role": "spendai_proxy"}, "42501"),
        ({"role": "spendai_analyst"}, "42501"),
        ({"role": "anon"}, "42501"),
        ({"role": "service_role"}, "42501"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_a_token_that_is_not_a_persons_reads_nothing(
    api: PostgREST, issued: Callable[..., str], claims: dict[str, Any], code: str
) -> None:
    refused(api, issued(**claims), code, lambda client: client.table("calls").select("id"))


def test_claims_about_an_organization_count_for_nothing(
    everyone: World, api: PostgREST, issued: Callable[..., str]
) -> None:
    extra = {
        "org_id": str(everyone.evil),
        "user_metadata": {"org_id": str(everyone.evil)},
        "app_metadata": {"role": "admin"},
    }
    rows = api.client(issued("dev", **extra)).table("calls").select("org_id").execute().data
    assert {row["org_id"] for row in rows} == {str(everyone.acme)}
    assert api.client(issued("dev", **extra)).table("audit_log").select("id").execute().data == []


def test_functions_and_other_schemas_are_not_part_of_the_api(api: PostgREST, issued: Callable[..., str]) -> None:
    refused(api, issued(), "PGRST202", lambda client: client.rpc("me", {}))
    for schema in ("app", "private", "auth"):
        refused(
            api, issued(), "PGRST106", lambda client, schema=schema: client.schema(schema).table("users").select("*")
        )


def test_sums_are_made_by_the_views_not_by_the_caller(api: PostgREST, issued: Callable[..., str]) -> None:
    refused(api, issued(), "PGRST123", lambda client: client.table("calls").select("cost.sum()"))


def test_somebody_who_was_removed_reads_nothing_with_a_token_that_is_still_good(
    everyone: World, api: PostgREST, issued: Callable[..., str]
) -> None:
    client, dan = api.client(issued("dan")), everyone["dan"].claims["sub"]
    assert client.table("calls").select("id").execute().data != []
    row = everyone.owner.execute("delete from public.members where user_id = %s returning *", [dan]).fetchone()
    try:
        assert client.table("calls").select("id").execute().data == []
    finally:
        everyone.owner.execute("insert into public.members values (%s, %s, %s, %s, %s)", list(row.values()))
