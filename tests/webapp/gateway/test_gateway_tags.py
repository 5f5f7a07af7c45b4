"""Tags on their way: what the row gets of the header and of metadata, and what the answer says of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fake_openai import chat
from fake_upstream import FakeUpstream, reply_json
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
WARNING = "x-spendai-warning"
SWITCH = "select app.project_update(%s, null, null, %s)"


@pytest.fixture
def wanted(stack: Stack) -> Iterator[Stack]:
    """A stack where Ada's project makes tags of metadata."""
    for switched in (True, False):
        with stack.people.as_("ada"):
            stack.people.one(SWITCH, stack.people.projects["ada"], switched)
        if switched:
            yield stack


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_left_out_of_the_tags_is_said_in_the_answer_and_kept(stack: Stack, streamed: bool) -> None:
    sent = {"x-spendai-tags": "team=search, junk, " + "k" * 70 + "=v"}
    answer = stack.post(json=CHAT | {"stream": streamed}, headers=sent)
    row = stack.row(answer)
    assert row["tags"] == {"team": "search", "k" * 64: "v"}
    assert answer.headers[WARNING] == row["warning"] and row["warning"].startswith("x-spendai-tags: 1 left out")


def test_json_tags_reach_the_row_and_good_tags_make_no_warning(stack: Stack) -> None:
    answer = stack.post(json=CHAT, headers={"x-spendai-tags": json.dumps({"team": "a,b", "n": 1})})
    assert stack.row(answer)["tags"] == {"team": "a,b", "n": "1"}
    assert stack.row(answer)["warning"] is None and WARNING not in answer.headers


def test_metadata_is_not_kept_unless_the_project_wants_it(stack: Stack) -> None:
    metadata = {"patient": "zq-private-word", "long": "zq-private-word" * 9}
    answer = stack.post(json=CHAT | {"metadata": metadata}, headers={"x-spendai-tags": "team=search"})
    row = stack.row(answer)
    assert (row["tags"], row["warning"]) == ({"team": "search"}, None) and WARNING not in answer.headers
    assert "zq-private" not in str(row) and "zq-private" not in stack.log()


def test_metadata_becomes_tags_where_the_project_wants_it_and_the_header_wins(wanted: Stack) -> None:
    metadata = {"team": "chat", "feature": "summary"}
    answer = wanted.post(json=CHAT | {"metadata": metadata}, headers={"x-spendai-tags": "team=search"})
    row = wanted.row(answer)
    assert row["tags"] == {"team": "search", "feature": "summary"}
    assert answer.headers[WARNING] == row["warning"] == "metadata: 1 left out: x-spendai-tags has the same name"
    labels = wanted.people.all("select distinct label from public.daily_labels where kind = 'tag'")
    assert {"label": "feature=summary"} in labels and {"label": "team=chat"} not in labels
    assert wanted.row(wanted.post(json=CHAT | {"metadata": metadata}, name="eve"))["tags"] == {}


def test_metadata_of_large_bodies_and_of_forms_becomes_tags_too(wanted: Stack, fake: FakeUpstream) -> None:
    large = CHAT | {"metadata": {"feature": "large"}, "messages": [{"role": "user", "content": "x" * 300_000}]}
    assert wanted.row(wanted.post(json=large))["tags"] == {"feature": "large"}
    fake.queue("/v1/images/edits", reply_json({"data": [], "usage": {"input_tokens": 1, "output_tokens": 1}}))
    form = {
        "data": {"model": "gpt-image-1", "metadata[feature]": "form"},
        "files": {"image": ("a.png", b"x", "image/png")},
    }
    assert wanted.row(wanted.post("/images/edits", **form))["tags"] == {"feature": "form"}


def test_headers_of_another_spendai_behind_this_one_are_replaced(stack: Stack, fake: FakeUpstream) -> None:
    theirs = [("x-spendai-call-id", "theirs"), ("X-SpendAI-Warning", "theirs"), ("x-kept", "1")]
    fake.queue("/v1/chat/completions", reply_json(chat(CHAT), 200, theirs))
    answer = stack.post(json=CHAT)
    assert answer.headers["x-kept"] == "1" and "theirs" not in str(answer.headers)
