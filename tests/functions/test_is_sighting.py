"""app.is_sighting: reading or cancelling an object is not making one."""

import pytest


@pytest.mark.parametrize(
    ("method", "endpoint", "expected"),
    [
        ("GET", "/v1/responses/{response_id}", True),
        ("HEAD", "/v1/models", True),
        ("POST", "/v1/responses/{response_id}/cancel", True),
        ("POST", "/v1/responses", False),
        ("POST", "/v1/batches", False),
        ("POST", "/v1/videos/{video_id}/remix", False),
    ],
)
def test_reading_and_cancelling_are_sightings_and_making_is_not(db, method, endpoint, expected):
    assert db.execute("select app.is_sighting(%s, %s) as s", [method, endpoint]).fetchone()["s"] is expected
