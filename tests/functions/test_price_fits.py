"""app.price_fits: whether a model can have served an endpoint, told from its prices."""

from __future__ import annotations

import json

import pytest
from checks import executors
from pricing import value


@pytest.mark.parametrize(
    ("endpoint", "dimensions", "fits"),
    [
        ("/v1/embeddings", ["input_text"], True),
        ("/openai/deployments/x/embeddings", ["input_text", "output_text"], False),
        ("/v1/audio/transcriptions", ["input_text", "output_text"], False),
        ("/v1/audio/transcriptions", ["audio_seconds"], True),
        ("/v1/audio/translations", ["input_audio"], True),
        ("/v1/images/edits", ["input_text", "output_text"], False),
        ("/v1/images/edits", ["input_image", "output_text"], True),
        ("/v1/images/edits", ["images:1024x1024+hd"], True),
        ("/v1/chat/completions", ["input_text"], True),
        (None, [], True),
    ],
)
def test_embeddings_have_no_output_and_media_have_prices_for_media(db, endpoint, dimensions, fits):
    sheet = json.dumps({name: [{"unit_price": 1}] for name in dimensions})
    assert value(db, "app.price_fits(%s, %s::jsonb)", endpoint, sheet) is fits


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_fits") == {"authenticated"}
