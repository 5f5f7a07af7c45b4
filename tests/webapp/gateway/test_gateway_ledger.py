"""The ledger behind the proxy: written before upstream, settled before the last byte, whatever the client does."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import psycopg
import pytest
import requests
from fake_openai import chat, chat_events, response_events
from fake_upstream import FakeUpstream, reply_json, reply_sse
from psycopg.rows import dict_row
from stack import Stack

from webapp.secrets.proxy_keys import new_key
from webapp.secrets.vault import seal

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
PRICE = Decimal("0.00000885")  # 19 × $0.15 + 10 × $0.60, per million tokens


def test_the_open_row_is_committed_before_the_upstream_gets_the_call(stack, fake):
    found = []

    def look(wire):
        with psycopg.connect(stack.admin_dsn, row_factory=dict_row) as conn:
            query = 'select * from public.usage_logs where tags @> \'{"probe": "before"}\''
            found.extend(conn.execute(query).fetchall())
        reply_json(chat(CHAT))(wire)

    fake.queue("/v1/chat/completions", look)
    tags = {"x-spendai-tags": "probe=before, team=Übersicht".encode()}
    answer = stack.post(json=CHAT | {"user": "u-42"}, headers=tags)
    assert [row["state"] for row in found] == ["open"]
    row = found[0]
    assert str(row["id"]) == answer.headers["x-spendai-call-id"]
    assert (row["model_requested"], row["end_user"], row["upstream"]) == ("gpt-4o-mini", "u-42", "openai")
    assert row["tags"] == {"probe": "before", "team": "Übersicht"}
    assert (row["cost"], row["cost_status"], row["settled_at"]) == (None, None, None)


@pytest.mark.parametrize("path", ["/audio/transcriptions", "/images/edits"])
def test_the_row_of_a_form_has_its_model_end_user_and_tags(stack, fake, path):
    fake.queue(f"/v1{path}", reply_json({"text": "hi", "data": [], "usage": {"type": "duration", "seconds": 9}}))
    form = {"data": {"model": "whisper-1", "user": "u-42"}, "files": {"file": ("a.wav", b"RIFF", "audio/wav")}}
    row = stack.row(stack.post(path, headers={"x-spendai-tags": "team=search"}, **form))
    assert (row["model_requested"], row["end_user"], row["tags"]) == ("whisper-1", "u-42", {"team": "search"})


@pytest.mark.parametrize("streamed", [False, True])
def test_the_row_is_settled_when_the_last_byte_arrives(stack, streamed):
    for _ in range(20):
        answer = stack.post(json=CHAT | {"stream": streamed})
        row = stack.row(answer)
        assert (row["state"], row["cost"], row["cost_status"]) == ("settled", PRICE, "priced")
        assert (row["model"], row["service_tier"]) == ("gpt-4o-mini-2024-07-18", "default")
        assert (row["tokens_in"], row["tokens_out"], row["stream"]) == (19, 10, streamed)
        assert row["latency_ms"] >= row["ttft_ms"] >= 0


def stops_after_the_first_event(fake: FakeUpstream) -> threading.Event:
    """Answer the next call with a stream that goes on when the event is set which this returns."""
    at_once, go_on = threading.Event(), threading.Event()
    at_once.set()
    events = list(chat_events(CHAT | {"stream_options": {"include_usage": True}}))
    fake.queue("/v1/chat/completions", reply_sse(events, gates=[at_once, go_on]))
    return go_on


def test_the_terminal_event_waits_for_the_commit(stack, fake):
    go_on = stops_after_the_first_event(fake)
    answer = stack.post(json=CHAT | {"stream": True}, stream=True)
    received = []
    reader = threading.Thread(target=lambda: received.extend(answer.iter_content(None)))
    with psycopg.connect(stack.admin_dsn) as blocker:
        blocker.execute("select from public.usage_logs where id = %s for update", [answer.headers["x-spendai-call-id"]])
        reader.start()
        go_on.set()
        waiting = "select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%settle%'"
        stack.wait_for(lambda: stack.conn.execute(waiting).fetchone()["n"])
        stack.wait_for(lambda: b"can" in b"".join(received))
        assert b"[DONE]" not in b"".join(received)
    reader.join()
    assert b"".join(received).endswith(b"data: [DONE]\n\n")
    assert stack.row(answer)["state"] == "settled"


def test_a_client_that_hangs_up_is_still_priced_exactly(stack, fake):
    go_on = stops_after_the_first_event(fake)
    answer = stack.post(json=CHAT | {"stream": True}, stream=True)
    next(answer.iter_content(None))
    call_id = answer.headers["x-spendai-call-id"]
    answer.close()
    go_on.set()
    row = stack.wait_for(lambda: (r := stack.row(call_id)) and r["state"] == "settled" and r)
    assert (row["status_code"], row["cost"], row["cost_status"]) == (499, PRICE, "priced")


@pytest.mark.parametrize("end", [b"completed", b"incomplete", b"failed"])
def test_a_client_that_hangs_up_on_a_response_pays_for_it_however_it_ends(stack, fake, end):
    asked = {"model": "gpt-4o-mini", "input": "hi", "stream": True}
    events = [part.replace(b"response.completed", b"response." + end) for part in response_events(asked)]
    at_once, go_on = threading.Event(), threading.Event()
    at_once.set()
    fake.queue("/v1/responses", reply_sse(events, gates=[at_once, go_on]))
    answer = stack.post("/responses", json=asked, stream=True)
    next(answer.iter_content(None))
    answer.close()
    go_on.set()
    row = stack.wait_for(lambda: (r := stack.row(answer)) and r["state"] == "settled" and r)
    assert (row["status_code"], row["cost"], row["cost_status"]) == (499, Decimal("0.0000576"), "priced")


def test_a_stream_that_breaks_off_before_its_usage_has_an_unknown_cost(stack, fake):
    from fake_upstream import cut_off

    fake.queue("/v1/chat/completions", cut_off([b'data: {"id":"chatcmpl-1","choices":[{"delta":{}}]}\n\n']))
    answer = stack.post(json=CHAT | {"stream": True}, stream=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        answer.content  # noqa: B018
    row = stack.row(answer)
    assert (row["state"], row["cost"], row["cost_status"]) == ("settled", None, "no_usage")


def test_reading_the_list_of_models_is_a_free_call(stack, fake):
    header = {"Authorization": f"Bearer {stack.key()}"}
    fake.queue("/v1/models", reply_json({"object": "list", "data": []}))
    answer = requests.get(f"{stack.proxy}/models", headers=header, timeout=10)
    assert fake.requests[-1].target == "/v1/models"
    row = stack.row(answer)
    assert (row["cost"], row["cost_status"], row["endpoint"]) == (0, "free", "/v1/models")


def test_the_bare_path_takes_a_chat_completion(stack, fake):
    answer = stack.post("", json=CHAT)
    assert fake.requests[-1].target == "/v1/chat/completions"
    assert stack.row(answer)["cost"] == PRICE


def test_many_calls_at_once_are_each_settled_once(stack, fake):
    before = len(fake.requests)
    with ThreadPoolExecutor(32) as pool:
        answers = list(
            pool.map(lambda n: stack.post(json=CHAT | {"user": f"many-{n}", "stream": n % 2 == 0}), range(200))
        )
    assert all(answer.ok for answer in answers)
    assert len({answer.headers["x-spendai-call-id"] for answer in answers}) == 200
    rows = stack.conn.execute("select * from public.usage_logs where end_user like 'many-%'").fetchall()
    assert len(rows) == 200 and len(fake.requests) == before + 200
    assert {(row["state"], row["cost"]) for row in rows} == {("settled", PRICE)}


def test_a_revoked_key_fails_on_its_next_call_while_two_workers_are_under_load(stack):
    people, key = stack.people, new_key()
    with people.as_("ada"):
        people.one(
            "select app.key_create(%s, %s, 'load', %s, %s, null)", people.projects["ada"], key.id, key.prefix, key.hash
        )
    header = {"Authorization": f"Bearer {key.key}"}
    stop, load_failed = threading.Event(), []

    def load() -> None:
        while not stop.is_set():
            if not stack.post(json=CHAT).ok:
                load_failed.append(1)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(load)
        assert all(stack.post(json=CHAT, headers=header).ok for _ in range(10))
        with people.as_("ada"):
            people.one("select app.key_revoke(%s)", key.id)
        after = [stack.post(json=CHAT, headers=header).status_code for _ in range(20)]
        stop.set()
    assert after == [401] * 20
    assert not load_failed


def test_an_organizations_own_openai_key_and_base_url_serve_its_calls(stack):
    people = stack.people
    with FakeUpstream() as own:
        sealed = seal(stack.config.key_ring, "sk-of-evil", people.orgs["eve"], None)
        with people.as_("eve"):
            people.one("select app.provider_key_set(null, %s, 'evil', %s, 'f', false)", sealed, own.url)
        assert stack.post(json=CHAT, name="eve").ok
        assert own.requests[-1].header("authorization") == "Bearer sk-of-evil"
        moved = seal(stack.config.key_ring, "sk-of-acme", people.orgs["ada"], None)
        stack.conn.execute(
            "update private.provider_keys set ciphertext = %s where org_id = %s", [moved, people.orgs["eve"]]
        )
        answer = stack.post(json=CHAT, name="eve")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_key_unreadable")
        assert (stack.row(answer)["cost_status"], stack.row(answer)["cost"]) == ("error", 0)
        assert len(own.requests) == 1
    with people.as_("eve"):
        people.one("select app.provider_key_delete(null)")


def test_without_any_openai_key_the_sandbox_answers_and_its_rows_say_so(stack_dsns):
    with Stack(*stack_dsns("spendai_sandbox")) as stack:
        answer = stack.post(json=CHAT)
        assert "sandbox" in answer.json()["choices"][0]["message"]["content"].lower()
        streamed = stack.post(json=CHAT | {"stream": True})
        assert streamed.text.endswith("data: [DONE]\n\n") and '"usage":{' not in streamed.text.replace(" ", "")
        for each in (answer, streamed):
            row = stack.row(each)
            assert (row["upstream"], row["cost_status"], row["state"]) == ("sandbox", "priced", "settled")
        with stack.people.as_("ada"):
            books = stack.people.one("select books from public.organizations")
            assert books["books"] == "sandbox"
            total = stack.people.one("select sum(cost) as cost from public.spend_daily")["cost"]
        assert total == stack.row(answer)["cost"] + stack.row(streamed)["cost"] > 0
        assert json.loads(answer.content)["usage"]["prompt_tokens"] == stack.row(answer)["tokens_in"]
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Authorization": f"Bearer {stack.key('ada')}"}
        refused = requests.get(f"{stack.proxy}/realtime?model=gpt-realtime", headers=upgrade, timeout=30)
        assert (refused.status_code, refused.json()["error"]["code"]) == (426, "no_websocket_in_sandbox")
        assert "store an OpenAI key" in refused.json()["error"]["message"]


def test_a_key_replaced_under_load_labels_each_call_with_the_key_that_it_was_sent_with(stack):
    people, stop = stack.people, threading.Event()
    people.found("kay", "Keyed")

    def replace(last4):
        sealed = seal(stack.config.key_ring, f"sk-{last4}", people.orgs["kay"], None)
        with people.as_("kay"):
            given = sealed, last4, own.url, last4.encode()
            people.one("select app.provider_key_set(null, %s, %s, %s, %s, false)", *given)

    def load(_):
        answers = []
        while not stop.is_set():
            answers.append(stack.post(json=CHAT, name="kay").headers["x-spendai-call-id"])
        return answers

    with FakeUpstream() as own:
        replace("0000")
        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(load, n) for n in range(4)]
            for n in range(1, 6):
                seen = len(own.requests)
                stack.wait_for(lambda seen=seen: len(own.requests) > seen + 8)
                replace(f"{n:04}")
            stop.set()
            calls = [call for each in running for call in each.result()]
        sent = Counter(request.header("authorization").removeprefix("Bearer sk-") for request in own.requests)
    query = "select v.last4, count(*) as n from public.usage_logs u"
    query += " join public.provider_key_versions v on v.id = u.provider_key_id where u.id = any (%s) group by 1"
    rows = people.all(query, calls)
    assert {row["last4"]: row["n"] for row in rows} == sent and len(sent) > 1
