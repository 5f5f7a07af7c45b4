"""app.fill_objects: an object that outlives its call is billed once, when its final state is first seen."""

from decimal import Decimal

import pytest
from spending import another_key

USAGE = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
SEEN = {
    "method": "GET",
    "endpoint": "/v1/responses/{response_id}",
    "account": "install",
    "upstream_object_id": "resp_1",
}


def make(people, endpoint="/v1/responses", usage=None, **changes):
    """A call that made an object which is not finished."""
    opened = people.open_message("ada", endpoint=endpoint)
    people.open_calls(opened)
    message = people.settle_message(
        "ada", opened, outcome="pending", usage=usage, account="install", upstream_object_id="resp_1", **changes
    )
    assert people.settle_calls(message)[0]["outcome"] == "settled"
    return opened["id"]


def look(people, name="ada", **changes):
    """A call that looks at it; returns the row of that call."""
    opened = people.open_message(name, method="GET", endpoint=SEEN["endpoint"])
    people.open_calls(opened)
    people.settle_calls(people.settle_message(name, opened, **(SEEN | {"usage": USAGE} | changes)))
    return row(people, opened["id"])


def test_an_object_of_a_call_closed_by_hand_with_a_cost_corrects_that_cost(people):
    opened = people.open_message("ada", endpoint="/v1/responses", **people.now_id())
    people.open_calls(opened)
    people.one("select app.call_end(null, %s, 5, 'by hand')", opened["id"])
    message = people.settle_message("ada", opened, outcome="pending", usage=None, account="install",
                                    upstream_object_id="resp_1")  # fmt: skip
    assert people.settle_calls(message)[0]["outcome"] == "conflict"
    for _ in range(2):
        look(people)
    (line,) = people.all("select delta from public.cost_adjustments")
    true = sum(Decimal(n) * Decimal(p) for n, p in ((1000, "0.15"), (500, "0.60"))) / 1_000_000
    assert line["delta"] == true - 5


def row(people, call_id):
    return people.one("select * from usage_logs where id = %s", call_id)


def test_a_background_response_is_pending_and_billed_at_the_first_sighting_of_its_end(people):
    made = make(people)
    assert (row(people, made)["cost"], row(people, made)["cost_status"]) == (None, "pending_object")
    unfinished = look(people, outcome="pending", usage=None)
    assert (unfinished["cost"], unfinished["cost_status"]) == (0, "free")
    assert row(people, made)["cost_status"] == "pending_object"
    seen = look(people)
    assert (seen["cost"], seen["cost_status"], seen["tokens_in"]) == (0, "free", None)
    filled = row(people, made)
    assert (filled["cost"], filled["cost_status"], filled["tokens_in"]) == (Decimal("0.00045"), "priced", 1000)
    look(people)
    assert people.one("select sum(cost) as s from usage_logs")["s"] == Decimal("0.00045"), "polling billed again"
    assert len(people.all("select * from cost_fills")) == 1


def test_an_object_whose_end_is_seen_in_the_batch_of_the_call_that_made_it_is_billed(people):
    """As when both messages waited in the spool."""
    made = people.open_message("ada", endpoint="/v1/responses", **people.now_id())
    seen = people.open_message("ada", method="GET", endpoint=SEEN["endpoint"], **people.now_id())
    people.open_calls(made, seen)
    words = {"account": "install", "upstream_object_id": "resp_1"}
    people.settle_calls(people.settle_message("ada", seen, **(SEEN | {"usage": USAGE})),
                        people.settle_message("ada", made, outcome="pending", usage=None, **words))  # fmt: skip
    filled = row(people, made["id"])
    assert (filled["cost"], filled["cost_status"], filled["tokens_in"]) == (Decimal("0.00045"), "priced", 1000)


def test_a_batch_is_billed_at_the_batch_price(people):
    made = make(people, "/v1/batches", batch=True)
    look(people, endpoint="/v1/batches/{batch_id}")
    assert row(people, made)["cost"] == Decimal("0.000225")


def test_an_object_that_ended_without_usage_is_no_longer_pending_and_its_cost_stays_unknown(people):
    made = make(people)
    look(people, usage=None)
    assert (row(people, made)["cost"], row(people, made)["cost_status"]) == (None, "no_usage")


def test_usage_that_comes_after_the_final_state_is_taken_once(people):
    made = make(people, "/v1/batches", batch=True)
    for _ in range(2):  # the answer that cancels it tells none
        look(people, endpoint="/v1/batches/{batch_id}", usage=None)
    assert row(people, made)["cost_status"] == "no_usage"
    for usage in (USAGE, USAGE, None):
        look(people, endpoint="/v1/batches/{batch_id}", usage=usage)
    assert row(people, made)["cost"] == Decimal("0.000225")
    fills = people.all("select old_status, new_status from cost_fills")
    assert {tuple(fill.values()) for fill in fills} == {("pending_object", "no_usage"), ("no_usage", "priced")}
    assert len(fills) == 2


def test_a_final_state_that_names_no_model_and_no_tier_is_priced_by_those_of_the_call(people):
    made = make(people, model="gpt-4o-mini-2024-07-18", model_requested=None, service_tier="flex")
    look(people, model=None, service_tier=None)
    filled = row(people, made)
    assert (filled["model"], filled["service_tier"]) == ("gpt-4o-mini-2024-07-18", "flex")
    assert (filled["cost"], filled["cost_status"]) == (Decimal("0.00045"), "tier_fallback")


@pytest.mark.parametrize(
    "change", [{"upstream_object_id": "resp_2"}, {"account": "elsewhere"}, {"upstream_object_id": None}]
)
def test_another_object_fills_nothing(people, change):
    made = make(people)
    assert look(people, **change)["cost_status"] == "free"
    assert row(people, made)["cost_status"] == "pending_object"


def test_the_cost_belongs_to_the_key_that_made_the_object_whichever_key_reads_it(people):
    made = make(people, endpoint="/v1/batches", batch=True, tags={"team": "nightly"}, end_user="u1")
    project, key = another_key(people, "reports")
    words = {"method": "GET", "endpoint": "/v1/batches/{batch_id}", "project_id": str(project), "api_key_id": str(key)}
    opened = people.open_message("ada", **people.now_id())
    people.settle_calls(people.settle_message("ada", opened, **SEEN | {"usage": USAGE} | words))
    cost, looked = row(people, made)["cost"], row(people, opened["id"])
    assert cost > 0 and (looked["cost"], looked["api_key_id"]) == (0, key)
    owners = {"key": "main", "tag": "team=nightly", "end_user": "u1"}
    for view, owner in owners.items():
        spent = people.all(f"select {view} as owner, cost from public.spend_by_{view} where cost <> 0")
        assert spent == [{"owner": owner, "cost": cost}]
    (spent,) = people.all("select project_id, cost from public.spend_by_project where cost <> 0")
    assert spent == {"project_id": people.projects["ada"], "cost": cost}


def test_eve_cannot_fill_a_call_of_acme(people):
    made = make(people)
    look(people, "eve")
    assert row(people, made)["cost_status"] == "pending_object"


def test_an_object_seen_twice_in_one_batch_is_billed_once(people):
    made = make(people)
    opened = [people.open_message("ada", method="GET", endpoint=SEEN["endpoint"]) for _ in range(2)]
    people.open_calls(*opened)
    people.settle_calls(*(people.settle_message("ada", o, **SEEN, usage=USAGE) for o in opened))
    assert row(people, made)["cost"] == Decimal("0.00045")
    assert len(people.all("select * from cost_fills")) == 1


MAKES = {"outcome": "complete", "account": "org", "upstream_object_id": "file-1", "makes": True}


def objects(people):
    return people.all("select object_id, org_id, project_id, call_id, priced_at is null as due"
        " from private.upstream_objects order by object_id")  # fmt: skip


def finish(people, endpoint="/v1/files", name="ada", **changes):
    opened = people.open_message(name, endpoint=endpoint)
    people.open_calls(opened)
    people.settle_calls(people.settle_message(name, opened, **(MAKES | {"usage": None} | changes)))
    return row(people, opened["id"])


def test_which_call_of_which_project_made_an_object_is_remembered_and_nothing_is_left_to_price(people):
    made = finish(people)
    assert objects(people) == [
        {"object_id": "file-1", "org_id": people.orgs["ada"], "project_id": people.projects["ada"],
         "call_id": made["id"], "due": False}
    ]  # fmt: skip
    assert (made["upstream_object_id"], made["cost_status"]) == ("file-1", "free")
    finish(people)
    assert [each["call_id"] for each in objects(people)] == [made["id"]], "its maker is whoever was first"


@pytest.mark.parametrize("change", [{"makes": False}, {"outcome": "error"}, {"upstream_object_id": None}])
def test_a_call_that_made_nothing_is_not_remembered(people, change):
    finish(people, **change)
    assert objects(people) == []


def test_looking_at_an_object_that_is_paid_for_changes_nothing(people):
    made = finish(people, "/v1/responses", usage=USAGE, upstream_object_id="resp_1", account="install")
    look(people)
    assert row(people, made["id"]) == made
    assert people.all("select * from cost_fills") == []


@pytest.mark.parametrize(("region", "uplift"), [(None, 1), ("eu", Decimal("1.1"))])
def test_a_response_that_broke_off_is_billed_when_it_is_seen_finished(people, region, uplift):
    lost = {"model": "gpt-5.4", "usage": None, "upstream_object_id": "resp_1", "account": "install", "region": region}
    made = finish(people, "/v1/responses", outcome="no_usage", **lost)
    assert (made["cost"], made["cost_status"]) == (None, "no_usage")
    look(people, outcome="pending", usage=None)
    assert row(people, made["id"]) == made
    for _ in range(2):
        look(people, model="gpt-5.4")
    cost = (1000 * Decimal("2.5") + 500 * 15) / 1_000_000 * uplift
    assert (row(people, made["id"])["cost"], row(people, made["id"])["cost_status"]) == (cost, "priced")
    assert len(people.all("select * from cost_fills")) == 1


PART = {"completion_window": "2h", "region": "eu"}


@pytest.mark.parametrize(("part", "extra"), [(PART, PART), ({"region": "eu"}, {"region": "eu"}), ({}, {}), (None, {})])
def test_the_usage_of_the_finished_object_gets_what_only_the_call_that_made_it_knew(people, part, extra):
    made = make(people, usage=part, region=(part or {}).get("region"))
    look(people, usage=USAGE | {"region": "us"}, region="us")
    filled = row(people, made)
    assert filled["usage"] == USAGE | extra, "the region is not that of the call that looked"
    assert (filled["tokens_in"], filled["region"]) == (1000, extra.get("region"))


def test_a_count_in_an_unfinished_object_never_replaces_that_of_the_finished_one(people):
    made = make(people, usage={"input_tokens": 0, "output_tokens": 0} | PART)
    look(people)
    assert row(people, made)["usage"] == USAGE | PART


def test_a_correction_of_a_call_closed_by_hand_tells_the_same_usage(people):
    opened = people.open_message("ada", endpoint="/v1/responses", **people.now_id())
    people.open_calls(opened)
    people.one("select app.call_end(null, %s, 5, 'by hand')", opened["id"])
    people.settle_calls(
        people.settle_message("ada", opened, outcome="pending", usage=PART, account="install",
                              upstream_object_id="resp_1", region="eu"))  # fmt: skip
    assert look(people)["cost"] == 0
    for line in people.all("select details from public.cost_adjustments"):
        assert line["details"]["usage"] == USAGE | PART


def test_a_batch_whose_cost_is_known_remembers_no_file(people):
    make(people, "/v1/batches", batch=True)
    look(people, endpoint="/v1/batches/{batch_id}", output_file_id="file-out")
    assert people.all("select from private.upstream_objects where object_id = 'file-out'") == []
