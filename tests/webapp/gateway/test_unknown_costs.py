"""Costs that OpenAI's answer does not tell: what is free, what the request decides, and what has a bound only."""

from __future__ import annotations

from typing import Any

import pytest
from fake_upstream import FakeUpstream, reply_json
from stack import Stack
from test_tenancy import call

UPLOADS = {
    "/files": ({"files": {"file": b"x"}}, {"id": "file-u1", "object": "file"}),
    "/uploads": ({"json": {"bytes": 9}}, {"id": "upload_u1", "object": "upload", "status": "pending"}),
    "/uploads/upload_u1/parts": ({"files": {"data": b"x"}}, {"id": "part_u1", "object": "upload.part"}),
    "/uploads/upload_u1/complete": ({"json": {}}, {"id": "upload_u1", "object": "upload", "file": {"id": "file-u2"}}),
    "/uploads/upload_u2/cancel": ({"json": {}}, {"id": "upload_u2", "object": "upload", "status": "cancelled"}),
    "/containers/cntr_u1/files": ({"files": {"file": b"x"}}, {"id": "cfile_u1", "object": "container.file"}),
}


@pytest.mark.parametrize("path", UPLOADS)
def test_an_upload_is_free_and_no_unknown_cost(stack: Stack, fake: FakeUpstream, path: str) -> None:
    sent, answer = UPLOADS[path]
    options: dict[str, Any] = sent
    fake.queue(f"/v1{path}", reply_json(answer))
    row = stack.row(call(stack, "olga", "POST", path, **options))
    assert (row["status_code"], row["cost"], row["cost_status"]) == (200, 0, "free")
