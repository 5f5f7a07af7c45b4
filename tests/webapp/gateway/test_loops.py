"""A base URL that leads back to SpendAI: the call is refused when it comes back, also through other SpendAIs."""

from __future__ import annotations

import pytest
from alone import ListLedger, post
from fake_upstream import FakeUpstream
from stack import Stack

from webapp.config import load
from webapp.gateway.gateway import Gateway
from webapp.gateway.loops import mark_of, via

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
SECRETS = {name: name * 32 for name in "abcdefg"}


def install(name: str, fake: FakeUpstream) -> Gateway:
    settings = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url, "SECRET_KEY": SECRETS[name]}
    made = Gateway(lambda *_: [], load(settings))
    made.ledger = ListLedger()
    return made


def passed(fake: FakeUpstream, *names: str) -> dict[str, str]:
    """The mark in WSGI's environ after a call has passed these installs, as the last one sent it."""
    mark: dict[str, str] = {}
    for name in names:
        assert post(install(name, fake), **mark).status == "200 OK"
        mark = {"HTTP_X_SPENDAI_VIA": fake.requests[-1].header("x-spendai-via")}
    return mark


@pytest.mark.parametrize("way", ["a", "ab", "abc", "abcd"])
def test_a_call_that_comes_back_is_refused_before_it_is_opened(fake: FakeUpstream, way: str) -> None:
    back, mark, sent = install("a", fake), passed(fake, *way), len(fake.requests)
    got = post(back, **mark)
    assert got.status == "508 Loop Detected" and b'"loop_detected"' in got.body
    assert back.ledger.settled == [] and len(fake.requests) == sent


def test_a_call_passes_four_other_installs_and_no_more(fake: FakeUpstream) -> None:
    mark = passed(fake, *"abcde")
    assert mark["HTTP_X_SPENDAI_VIA"].split(", ") == [mark_of(SECRETS[name]) for name in "abcde"]
    assert post(install("f", fake), **mark).status == "508 Loop Detected"


def test_words_of_a_client_that_are_no_marks_go_no_further(fake: FakeUpstream) -> None:
    assert post(install("a", fake), HTTP_X_SPENDAI_VIA="nonsense, ,\x0b").status == "200 OK"
    assert fake.requests[-1].header("x-spendai-via") == mark_of(SECRETS["a"])


@pytest.mark.parametrize("host", ["api.openai.com", "API.OpenAI.com.", "eu.api.openai.com:443"])
def test_openai_is_told_nothing(host: str) -> None:
    assert via({}, SECRETS["a"], f"https://{host}/v1") == []


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "openai.com", "api.openai.com.example.test", "xapi.openai.com"])
def test_every_other_host_gets_the_mark(host: str) -> None:
    assert via({}, SECRETS["a"], f"https://{host}/v1") == [("X-SpendAI-Via", mark_of(SECRETS["a"]))]


def test_a_base_url_that_is_the_proxy_itself_costs_one_call_and_nothing(stack: Stack) -> None:
    stack.found_with_key("uwe", "Loop", stack.proxy, stack.key())
    before = stack.count()
    answer = stack.post(name="uwe", json=CHAT)
    assert answer.status_code == 508 and answer.json()["error"]["code"] == "loop_detected"
    row = stack.row(answer)
    assert (row["state"], row["status_code"], row["cost"], stack.count()) == ("settled", 508, 0, before + 1)
