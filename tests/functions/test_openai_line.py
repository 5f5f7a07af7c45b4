"""app.openai_line: a line of OpenAI's bill by the name that the ledger gives it."""

from __future__ import annotations

import pytest
from checks import executors
from openai_books import DAY, moment
from people import People

ASK = "select line, surface, model, known from app.openai_line(%s, %s, %s)"


def line(people: People, name: str, who: str = "ada") -> tuple[str, str | None, str | None, bool]:
    return tuple(people.one(ASK, people.orgs[who], name, moment("00:00:00", DAY)).values())


@pytest.mark.parametrize(("name", "expected"), [
    ("gpt-4o-mini-2024-07-18, input", "gpt-4o-mini, input"),
    (" GPT-4o-mini, Cached Input ", "gpt-4o-mini, cached input"),
    ("gpt-4o-mini text, output", "gpt-4o-mini, output"),
    ("standard | gpt-4o-mini, output_tokens", "gpt-4o-mini, output"),
    ("gpt-realtime audio, cached input", "gpt-realtime audio, cached input"),
    ("gpt-9-2031-01-31, cache writes", "gpt-9, cache writes"),
    ("priority | gpt-5.4-2026-03-05, output", "priority | gpt-5.4, output"),
    ("fast | gpt-5.4, input, long context", "priority | gpt-5.4, input, long context"),
    ("flex | gpt-5.4,input", "flex | gpt-5.4, input"),
    ("ft-gpt-9:acme::abc, input", "ft:gpt-9:acme::abc, input"),
    ("Web search tool calls", "web search tool calls"), ("file search tool calls", "file search tool calls"),
    ("whisper", "whisper-1, audio_seconds"),
])  # fmt: skip
def test_names_become_the_ledgers(people: People, name: str, expected: str) -> None:
    found = line(people, name)
    assert found[0] == expected
    assert found[1] is None and found[3] is True


@pytest.mark.parametrize(("name", "expected"), [
    ("evals | gpt-4o-mini-2024-07-18, input", ("evals | gpt-4o-mini, input", "evals", "gpt-4o-mini", True)),
    ("assistants api | file search", ("assistants api | file search", "assistants api", None, False)),
    ("a line of 2031", ("a line of 2031", None, None, False)), ("", ("", None, None, False)),
])  # fmt: skip
def test_other_uses_and_unknown_names_are_said(people: People, name: str, expected: tuple[object, ...]) -> None:
    assert line(people, name) == expected


def test_an_alias_of_the_organization_goes_before_that_for_everybody_and_serves_no_other(people: People) -> None:
    people.conn.execute(
        "insert into public.line_aliases (org_id, line_item, means) values (%s, 'whisper', 'flex | gpt-9, images')",
        [people.orgs["ada"]],
    )
    assert line(people, "Whisper") == ("flex | gpt-9, images", None, "gpt-9", True)
    assert line(people, "Whisper", "eve") == ("whisper-1, audio_seconds", None, "whisper-1", True)


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "openai_line") == {"authenticated"}
