"""Objects that OpenAI works on after the call (background responses, batches, videos): made, read, and billed once."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from fake_openai import RESPONSE_USAGE, event, response
from fake_upstream import FakeUpstream, Reply, reply, reply_json, reply_sse
from stack import Stack
from test_tenancy import call

ASKED = {"model": "gpt-4o-mini", "input": "hi", "background": True}
PRICE = (36 * Decimal("0.15") + 87 * Decimal("0.60")) / 1_000_000
BATCH_USAGE = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 500,
               "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1500}  # fmt: skip


def state(name: str, status: str, **changes: object) -> dict[str, object]:
    """A background response in one of its states; usage only at the end."""
    whole = response(ASKED) | {"id": name, "background": True, "status": status}
    return whole | ({} if status == "completed" else {"usage": None, "output": []}) | changes


def resumed(name: str) -> Reply:
    """The rest of the stream of a background response, as GET …?stream=true&starting_after=3 answers it."""
    return reply_sse([event("response.output_text.delta", 4, delta="!"),
                      event("response.completed", 5, response=state(name, "completed"))])  # fmt: skip


def look(stack: Stack, fake: FakeUpstream, path: str, answer: Reply, method: str = "GET") -> None:
    """A call that reads an object, or stops it; it costs nothing itself, and its row has no tokens a second time."""
    fake.queue(f"/v1{path}", answer)
    seen = call(stack, "olga", method, path + ("?stream=true&starting_after=3" if method == "GET" else ""))
    assert seen.ok and seen.content
    row = stack.row(seen)
    assert (row["cost"], row["cost_status"], row["tokens_in"]) == (0, "free", None)


def make(stack: Stack, fake: FakeUpstream, path: str, answer: dict, **options: object) -> str:
    fake.queue(f"/v1{path}", reply_json(answer))
    made = call(stack, "olga", "POST", path, **options)
    assert made.ok
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], row["upstream_object_id"]) == (None, "pending_object", answer["id"])
    return made.headers["x-spendai-call-id"]


def fills(stack: Stack, call_id: str) -> int:
    return len(stack.conn.execute("select from public.cost_fills where call_id = %s", [call_id]).fetchall())


ENDS = {
    "as JSON": lambda name: (reply_json(state(name, "completed")), "GET", ""),
    "as a resumed stream": lambda name: (resumed(name), "GET", ""),
    "by stopping it": lambda name: (reply_json(state(name, "cancelled", usage=RESPONSE_USAGE)), "POST", "/cancel"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_background_response_is_billed_when_its_end_is_first_seen(stack: Stack, fake: FakeUpstream, end: str):
    name = f"resp_bg_{list(ENDS).index(end)}"
    made = make(stack, fake, "/responses", state(name, "queued"), json=ASKED)
    look(stack, fake, f"/responses/{name}", reply_json(state(name, "in_progress")))
    assert stack.row(made)["cost_status"] == "pending_object"
    answer, method, ending = ENDS[end](name)
    look(stack, fake, f"/responses/{name}{ending}", answer, method)
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], row["tokens_in"], row["tokens_out"]) == (PRICE, "priced", 36, 87)
    look(stack, fake, f"/responses/{name}", reply_json(state(name, "completed")))
    look(stack, fake, f"/responses/{name}", resumed(name))
    assert (stack.row(made)["cost"], fills(stack, made)) == (PRICE, 1)


def test_a_background_response_that_is_streamed_and_left_is_billed_when_it_is_read_later(stack, fake):
    name = "resp_bg_stream"
    begun = event("response.created", 0, response=state(name, "queued"))
    fake.queue("/v1/responses", reply_sse([begun, event("response.in_progress", 1)]))
    made = call(stack, "olga", "POST", "/responses", json=ASKED | {"stream": True})
    assert made.content and stack.row(made)["cost_status"] == "pending_object"
    look(stack, fake, f"/responses/{name}", resumed(name))
    assert stack.row(made)["cost"] == PRICE


def test_a_response_that_broke_off_is_billed_when_its_program_fetches_it(stack, fake):
    name = "resp_cut"
    whole = state(name, "completed", background=False)
    fake.queue("/v1/responses", reply_sse([event("response.created", 0, response=whole | {"status": "in_progress"})]))
    made = call(stack, "olga", "POST", "/responses", json={"model": "gpt-4o-mini", "input": "hi", "stream": True})
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], row["upstream_object_id"]) == (None, "no_usage", name)
    look(stack, fake, f"/responses/{name}", reply_json(whole))
    assert stack.row(made)["cost"] == PRICE


def test_a_stopped_response_without_usage_has_an_unknown_cost(stack, fake):
    name = "resp_bg_stopped"
    made = make(stack, fake, "/responses", state(name, "queued"), json=ASKED)
    look(stack, fake, f"/responses/{name}/cancel", reply_json(state(name, "cancelled")), "POST")
    assert (stack.row(made)["cost"], stack.row(made)["cost_status"]) == (None, "no_usage")


def batch(status: str, **changes: object) -> dict[str, object]:
    return {"id": "batch_1", "object": "batch", "endpoint": "/v1/responses", "input_file_id": "file-1",
            "status": status, "model": "gpt-4o-mini-2024-07-18", "usage": None} | changes  # fmt: skip


def test_a_batch_is_billed_at_the_batch_price_when_it_is_first_seen_completed(stack, fake):
    asked = {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"}
    made = make(stack, fake, "/batches", batch("validating"), json=asked)
    assert stack.row(made)["batch"]
    fake.queue("/v1/batches", reply_json({"object": "list", "data": [batch("finalizing")]}))
    assert call(stack, "olga", "GET", "/batches").ok
    look(stack, fake, "/batches/batch_1", reply_json(batch("in_progress")))
    look(stack, fake, "/batches/batch_1/cancel", reply_json(batch("cancelling")), "POST")
    assert stack.row(made)["cost_status"] == "pending_object"
    for _ in range(2):
        look(stack, fake, "/batches/batch_1", reply_json(batch("cancelled", usage=BATCH_USAGE)))
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], fills(stack, made)) == (Decimal("0.000225"), "priced", 1)


def test_a_video_is_billed_by_its_seconds_when_it_is_first_seen_completed(stack, fake):
    video = {"id": "video_1", "object": "video", "model": "sora-2", "seconds": "8", "size": "1280x720"}
    form = {"data": {"model": "sora-2", "prompt": "x", "seconds": "8"}, "files": {"input_reference": b"png"}}
    made = make(stack, fake, "/videos", video | {"status": "queued"}, **form)
    look(stack, fake, "/videos/video_1", reply_json(video | {"status": "in_progress", "progress": 50}))
    for _ in range(2):
        look(stack, fake, "/videos/video_1", reply_json(video | {"status": "completed"}))
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], row["tools"]) == (Decimal("0.8"), "priced", {"video_seconds": 8})


def test_a_failed_look_bills_nothing_and_a_broken_one_is_free(stack, fake):
    name = "resp_bg_broken"
    made = make(stack, fake, "/responses", state(name, "queued"), json=ASKED)
    fake.queue(f"/v1/responses/{name}", reply_json({"error": {"message": "no"}}, 500),
               reply_sse([event("response.output_text.delta", 4, delta="!")]))  # fmt: skip
    assert call(stack, "olga", "GET", f"/responses/{name}").status_code == 500
    broken = call(stack, "olga", "GET", f"/responses/{name}")
    assert (stack.row(broken)["cost"], stack.row(broken)["cost_status"]) == (0, "free")
    assert stack.row(made)["cost_status"] == "pending_object"


def test_another_organization_that_knows_the_id_fills_nothing(stack, fake):
    name = "resp_bg_theirs"
    made = make(stack, fake, "/responses", state(name, "queued"), json=ASKED)
    with FakeUpstream(lambda request: reply_json(state(name, "completed"))) as upstream:
        stack.found_with_key("nosy", "Nosy", upstream.url, "sk-nosy")
        assert call(stack, "nosy", "GET", f"/responses/{name}").ok
    assert stack.row(made)["cost_status"] == "pending_object"


def listed(*objects: dict) -> Reply:
    return reply_json({"object": "list", "data": [*objects], "has_more": False})


def test_a_batch_that_is_only_listed_is_billed_once(stack, fake):
    asked = {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"}
    one = make(stack, fake, "/batches", batch("validating", id="batch_l1"), json=asked)
    two = make(stack, fake, "/batches", batch("validating", id="batch_l2"), json=asked)
    others = [
        batch("completed", id=f"batch_other_{n}", usage=BATCH_USAGE, metadata={"x": "y" * 500}) for n in range(99)
    ]
    done = batch("completed", id="batch_l1", usage=BATCH_USAGE)
    for _ in range(2):  # the list is larger than what is decoded as a whole
        look(stack, fake, "/batches", listed(done, batch("in_progress", id="batch_l2"), *others))
        row = stack.row(one)
        assert (row["cost"], row["cost_status"], fills(stack, one)) == (Decimal("0.000225"), "priced", 1)
        assert stack.row(two)["cost_status"] == "pending_object"
    look(stack, fake, "/batches", listed(batch("failed", id="batch_l2")))
    assert (stack.row(two)["cost"], stack.row(two)["cost_status"]) == (0, "free")


def test_a_video_that_is_only_listed_is_billed(stack, fake):
    video = {"id": "video_l1", "object": "video", "model": "sora-2", "seconds": "8", "size": "1280x720"}
    form = {"data": {"model": "sora-2", "prompt": "x", "seconds": "8"}, "files": {"input_reference": b"png"}}
    made = make(stack, fake, "/videos", video | {"status": "queued"}, **form)
    look(stack, fake, "/videos", listed(video | {"status": "completed"}))
    assert (stack.row(made)["cost"], stack.row(made)["tools"]) == (Decimal("0.8"), {"video_seconds": 8})


NO_COUNTS = {"total": 0, "completed": 0, "failed": 0}
NO_TOKENS = {"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0}  # fmt: skip
ENDED = {
    "failed": ({"model": None, "request_counts": NO_COUNTS, "usage": NO_TOKENS}, 0, "free"),
    "failed ": ({"errors": {"object": "list", "data": [{"code": "invalid_json_line"}]}}, 0, "free"),
    "failed  ": ({"output_file_id": "file-o"}, None, "no_usage"),
    "cancelled": ({"model": None, "request_counts": NO_COUNTS | {"total": 5}, "usage": NO_TOKENS}, 0, "free"),
    "cancelled ": ({"request_counts": NO_COUNTS | {"total": 5}}, None, "no_usage"),
    "expired": ({"request_counts": {"total": 5, "completed": 2, "failed": 0}, "output_file_id": "file-o",
                 "usage": BATCH_USAGE}, Decimal("0.000225"), "priced"),
}  # fmt: skip


@pytest.mark.parametrize("status", ENDED)
def test_a_batch_of_which_no_request_ran_costs_nothing(stack: Stack, fake: FakeUpstream, status: str):
    said, cost, ends = ENDED[status]
    name = f"batch_e{list(ENDED).index(status)}"
    made = make(stack, fake, "/batches", batch("validating", id=name), json={"input_file_id": "file-1"})
    look(stack, fake, f"/batches/{name}", reply_json(batch(status.strip(), id=name, **said)))
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], fills(stack, made)) == (cost, ends, 1)


LONG_USAGE = {"input_tokens": 400_000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 20,
              "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 400_020}  # fmt: skip
LONG_COST = (300_000 * Decimal("2.5") + 10 * Decimal("11.25") + 100_000 * Decimal("1.25") + 10 * Decimal("7.5")) / 10**6


def output_line(tokens_in: int, tokens_out: int) -> bytes:
    body = {"object": "response", "model": "gpt-5.4", "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out}}
    answer = {"status_code": 200, "request_id": "r", "body": body}
    return json.dumps({"id": "batch_req_1", "custom_id": "a", "response": answer, "error": None}).encode() + b"\n"


def test_a_large_batch_of_a_model_with_long_contexts_is_billed_when_its_output_file_is_downloaded(stack, fake):
    made = make(stack, fake, "/batches", batch("validating", id="batch_2"), json={"input_file_id": "file-1"})
    ended = batch("completed", id="batch_2", model="gpt-5.4", usage=LONG_USAGE, output_file_id="file-out")
    look(stack, fake, "/batches/batch_2", reply_json(ended))
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], row["tokens_in"]) == (None, "no_usage", 400_000)
    file = output_line(300_000, 10) + output_line(100_000, 10)
    kind = [("content-type", "application/octet-stream")]
    look(stack, fake, "/files/file-out/content", reply(200, kind, file))
    row = stack.row(made)
    assert (row["cost"], row["cost_status"], fills(stack, made)) == (LONG_COST, "priced", 2)
    one, others = {"input_tokens": 300_000, "output_tokens": 10}, {"input_tokens": 100_000, "output_tokens": 10}
    assert row["usage"]["by_length"] == {"over": 128_000, "short": others, "long": [one]}


def downloaded(stack: Stack, fake: FakeUpstream, ended: dict, *bodies: dict) -> tuple[dict, dict]:
    """The row of a call that made a batch, after the batch was seen and after its output file was downloaded."""
    name, file = ended["id"], f"file-{ended['id']}"
    made = make(stack, fake, "/batches", ended | {"status": "validating", "usage": None}, json={"input_file_id": "f"})
    look(stack, fake, f"/batches/{name}", reply_json(ended | {"output_file_id": file}))
    before = stack.row(made)
    lines = [{"id": "r", "custom_id": "c", "response": {"status_code": 200, "body": body}} for body in bodies]
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    look(stack, fake, f"/files/{file}/content", reply(200, [("content-type", "application/octet-stream")], content))
    return before, stack.row(made)


def test_tools_are_billed_where_the_output_file_tells_the_cost_of_a_batch(stack, fake):
    used = BATCH_USAGE | {"input_tokens": 400_000, "output_tokens": 20, "total_tokens": 400_020}
    ended = batch("completed", id="batch_t", model="gpt-5.4", usage=used)
    search = {"type": "web_search_call", "status": "completed", "action": {"type": "search"}}
    ran = {"type": "code_interpreter_call", "status": "completed", "container_id": "cntr_1"}
    tools = [{"type": "web_search"}, {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}]
    one = {"object": "response", "model": "gpt-5.4", "tools": tools, "output": [search, search, ran],
           "usage": {"input_tokens": 200_000, "output_tokens": 10}}  # fmt: skip
    before, after = downloaded(stack, fake, ended, one, one)
    assert (before["cost"], before["cost_status"]) == (None, "no_usage")
    assert sum(line["at_least"] for line in before["cost_lines"]) == Decimal("0.50015")
    paid = Decimal("0.50015") + 4 * Decimal("0.01") + Decimal("0.12")
    assert (after["cost"], after["cost_status"]) == (paid, "priced")
    assert after["tools"] == {"web_search_calls": 4, "container_sessions:4g": 1}


def test_a_batch_of_images_is_billed_by_its_output_file_because_the_sum_does_not_tell_images_from_text(stack, fake):
    usage = BATCH_USAGE | {"input_tokens": 1000, "output_tokens": 2000, "total_tokens": 3000}
    ended = batch("completed", id="batch_i", endpoint="/v1/images/edits", model="gpt-image-1.5", usage=usage)
    drawn = {"input_tokens": 500, "input_tokens_details": {"text_tokens": 100, "image_tokens": 400},
             "output_tokens": 1000, "total_tokens": 1500}  # fmt: skip
    split = drawn | {"output_tokens_details": {"text_tokens": 200, "image_tokens": 800}}
    before, after = downloaded(
        stack, fake, ended, *({"created": 1, "data": [], "usage": used} for used in (drawn, split))
    )
    assert (before["cost"], before["cost_status"]) == (None, "no_usage")
    parts = ((200, "2.5"), (800, "4"), (200, "5"), (1800, "16"))
    assert (after["cost"], after["cost_status"]) == (sum(n * Decimal(price) for n, price in parts) / 10**6, "priced")
