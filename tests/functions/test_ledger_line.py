"""app.ledger_line: what a line of a call's cost is called in OpenAI's bill."""

from __future__ import annotations

import pytest
from checks import executors
from people import People

ASK = "select app.ledger_line(%s, 'gpt-9', %s, %s, %s) as line"


@pytest.mark.parametrize(("tier", "dimension", "qualifier", "long", "line"), [
    ("standard", "input_text", None, False, "gpt-9, input"), (None, "output_text", None, False, "gpt-9, output"),
    ("flex", "cached_text", None, False, "flex | gpt-9, cached input"),
    ("standard", "input_text", None, True, "gpt-9, input, long context"),
    ("standard", "cache_write", None, False, "gpt-9, cache writes"),
    ("standard", "cache_write_12h", None, False, "gpt-9, cache writes"),
    ("standard", "cached_audio", None, False, "gpt-9 audio, cached input"),
    ("standard", "output_image", None, False, "gpt-9 image, output"),
    ("standard", "web_search_preview_calls", None, False, "web search tool calls"),
    ("standard", "web_search_calls", None, False, "web search tool calls"),
    ("standard", "web_search_or_preview_calls", None, False, "web search tool calls"),
    ("standard", "file_search_calls", None, False, "file search tool calls"),
    ("standard", "container_sessions", "4g", False, "container_sessions:4g"),
    ("standard", "images", "1024x1024+hd", False, "gpt-9, images:1024x1024+hd"),
    ("standard", "audio_seconds", None, False, "gpt-9, audio_seconds"),
])  # fmt: skip
def test_each_dimension_has_its_line(
    people: People, tier: str | None, dimension: str, qualifier: str | None, long: bool, line: str
) -> None:
    assert people.one(ASK, tier, dimension, qualifier, long)["line"] == line


def test_each_token_line_of_the_ledger_is_a_name_that_openai_line_leaves_as_it_is(people: People) -> None:
    rows = people.all(
        "select x.line, (app.openai_line(%s, x.line, now())).line as again from unnest(array['standard', 'flex']) t,"
        " unnest(array['input_text', 'cached_audio', 'output_image', 'cache_write', 'web_search_calls']) d,"
        " app.ledger_line(t, 'gpt-9', d, null, true) as x (line)", people.orgs["ada"],
    )  # fmt: skip
    assert len(rows) == 10 and all(row["line"] == row["again"] for row in rows)


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "ledger_line") == {"authenticated"}
