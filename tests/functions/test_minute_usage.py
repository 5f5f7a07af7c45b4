"""app.minute_usage: what OpenAI counted of one request, as a usage object."""

from __future__ import annotations

import json

import pytest
from checks import executors
from people import People


def usage(people: People, **counts: int) -> dict[str, object]:
    return people.one("select app.minute_usage(%s) as usage", json.dumps(counts))["usage"]


@pytest.mark.parametrize(("counts", "tokens"), [
    ({"input_tokens": 10, "input_cached_tokens": 4, "output_tokens": 3}, 10),
    ({"input_uncached_tokens": 6, "input_cached_tokens": 4, "output_tokens": 3}, 10),
    ({"input_uncached_tokens": 5, "input_cached_tokens": 4, "input_cache_write_tokens": 1, "output_tokens": 3}, 10),
    ({"output_tokens": 3}, 0),
])  # fmt: skip
def test_cached_tokens_and_cache_writes_are_part_of_the_input(
    people: People, counts: dict[str, int], tokens: int
) -> None:
    found = usage(people, **counts)
    assert (found["input_tokens"], found["output_tokens"]) == (tokens, 3)
    assert found["input_tokens_details"].get("cached_tokens") == counts.get("input_cached_tokens")


def test_audio_and_images_get_their_cached_part_back(people: People) -> None:
    found = usage(people, input_tokens=50, input_audio_tokens=10, input_cached_audio_tokens=5, input_image_tokens=7,
                  output_tokens=9, output_audio_tokens=4)  # fmt: skip
    details = found["input_tokens_details"]
    assert (details["audio_tokens"], details["image_tokens"]) == (15, 7)
    assert details["cached_tokens_details"] == {"audio_tokens": 5}
    assert found["output_tokens_details"] == {"audio_tokens": 4}


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "minute_usage") == {"authenticated"}
