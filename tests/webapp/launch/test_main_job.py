"""The main job as a user does it: start, sign up, make a key, call OpenAI through SpendAI, see what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal

import openai
import requests
from fake_upstream import FakeUpstream
from processes import Launcher, empty_folder
from stack import free_port

from webapp.config import ROOT

MINI = (19 * Decimal("0.15") + 10 * Decimal("0.60")) / 1_000_000  # published prices × the fake answers' usage
RESPONSE = (36 * Decimal("0.15") + 87 * Decimal("0.60")) / 1_000_000
EMBEDDING = 8 * Decimal("0.02") / 1_000_000
HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


def post(url: str, body: dict, token: str | None = None) -> dict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(url, json=body, headers=headers, timeout=10)
    assert answer.status_code == 201, answer.text
    return answer.json()


def make_calls(client: openai.OpenAI) -> list[Decimal]:
    """One call of every kind; what each must cost."""
    client.chat.completions.create(**HELLO)
    list(client.chat.completions.create(**HELLO, stream=True))
    list(client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True}))
    client.responses.create(model="gpt-4o-mini", input="Hello")
    list(client.responses.create(model="gpt-4o-mini", input="Hello", stream=True))
    client.embeddings.create(model="text-embedding-3-small", input="Hello")
    return [MINI, MINI, MINI, RESPONSE, RESPONSE, EMBEDDING]


def test_every_door_tells_the_same_cost_to_the_last_digit():
    with FakeUpstream() as fake, empty_folder() as home:
        settings = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url}
        product = Launcher(home, free_port(), **settings)
        assert f"http://127.0.0.1:{product.port}" in product.welcome()
        api = f"http://127.0.0.1:{product.port}/api/v1"
        person = {"email": "ada@acme.test", "password": "correct horse", "organization": "Acme"}
        token = post(f"{api}/auth/signup", person)["access_token"]
        project = post(f"{api}/projects", {"name": "checkout"}, token)
        key = post(f"{api}/projects/{project['id']}/keys", {"name": "main"}, token)
        costs = make_calls(openai.OpenAI(base_url=f"{api}/proxy", api_key=key["key"], max_retries=0))

        header = {"Authorization": f"Bearer {token}"}
        calls = requests.get(f"{api}/calls", headers=header, timeout=10).json()["data"]
        usage = requests.get(f"{api}/usage?group_by=project", headers=header, timeout=10).json()
        psql = [
            sys.executable,
            "-m",
            "webapp.launch.psql",
            "-At",
            "-c",
            "select sum(cost), sum(calls) from spend_daily",
        ]
        environ = os.environ | {"SPENDAI_HOME": str(home)}
        said = subprocess.run(psql, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout
        assert product.stop() == 0

    assert [Decimal(call["cost"]) for call in reversed(calls)] == costs
    assert {call["cost_status"] for call in calls} == {"priced"}
    assert [(call["tokens_in"], call["tokens_out"]) for call in reversed(calls)] == [
        (19, 10), (19, 10), (19, 10), (36, 87), (36, 87), (8, None),
    ]  # fmt: skip
    assert Decimal(usage["totals"]["cost"]) == Decimal(usage["data"][0]["cost"]) == sum(costs)
    total, count = said.strip().split("|")
    assert (Decimal(total), int(count)) == (sum(costs), 6) and len(fake.requests) == 6
