"""app.price_model_of: which price model a name is billed as."""

from __future__ import annotations

import pytest
from checks import executors
from pricing import NOW, add_price


def found(db, name, org=None, at=NOW):
    row = db.execute("select model, match from app.price_model_of(%s, %s, %s)", [org, name, at]).fetchone()
    return row["model"], row["match"]


@pytest.mark.parametrize(
    ("name", "model", "match"),
    [
        ("gpt-4o", "gpt-4o", "name"),
        ("gpt-4o-2024-08-06", "gpt-4o", "exact"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "name"),
        ("\tOPENAI/GPT-4o\n", "gpt-4o", "name"),
        ("gpt-6-sol-2026-12-24", "gpt-6-sol", "regex"),
        ("gpt-4o-realtime-preview-2025-06-03", "gpt-4o-realtime-preview", "prefix"),
        ("gpt-4o-mini-realtime-preview", "gpt-4o-mini-realtime-preview", "name"),
        ("gpt-5.2-20251211", "gpt-5.2", "exact"),
        ("gpt-6-sol-20261224", "gpt-6-sol", "regex"),
        ("ft:gpt-4o-2024-08-06:acme:bot:id:ckpt-step-1", "ft:gpt-4o", "prefix"),
        ("ft:gpt-4.1-2025-04-14:acme::id", "ft:gpt-4.1-2025-04-14", "prefix"),
        ("ft:gpt-4-0613:acme::id", "gpt-4", "prefix"),
        ("omni-moderation-latest", "moderation", "regex"),
        ("gpt-4o-2031-01-01", None, None),
        ("gpt-4o-latest", None, None),
        ("my-gpt-4o", None, None),
        ("ft:gpt-5-2025-08-07:acme::id", None, None),
        ("ft:gpt-9:acme:moderation:id", None, None),
        (None, None, None), ("", None, None), ("  ", None, None), ("(", None, None), ("%", None, None),
        ("x" * 201, None, None), ("moderation" * 100_000, None, None),
    ],
)  # fmt: skip
def test_a_name_is_found_or_unknown_but_never_guessed(db, name, model, match):
    assert found(db, name) == (model, match)


def test_every_shipped_alias_leads_to_a_model_with_prices(db):
    lost = db.execute(
        "select pattern from price_aliases a where kind = 'exact'"
        " and (app.price_model_of(null, pattern, '2027-01-01Z')).model is distinct from a.model"
    ).fetchall()
    assert lost == []


def test_the_longest_pattern_wins_and_ord_breaks_ties(db):
    db.execute(
        "insert into price_aliases values ('prefix', 'acme-', 'gpt-4o', 1), ('prefix', 'acme-x-', 'gpt-4', 2),"
        " ('regex', 'x-\\d{2}$', 'o3', 0)"
    )
    assert found(db, "acme-y-42") == ("gpt-4o", "prefix")
    assert found(db, "acme-x-y") == ("gpt-4", "prefix")
    assert found(db, "acme-x-42") == ("o3", "regex"), "both patterns have seven characters: the lower ord wins"


def test_prices_of_exactly_this_name_go_before_an_alias(db, people):
    acme, evil = people.orgs["ada"], people.orgs["eve"]
    add_price(db, "gpt-4o-2024-08-06", "input_text", "1", org_id=acme, valid_from="2026-10-01T00:00:00Z")
    assert found(db, "gpt-4o-2024-08-06", acme) == ("gpt-4o-2024-08-06", "name")
    assert found(db, "gpt-4o-2024-08-06", acme, "2026-09-30T23:59:59Z") == ("gpt-4o", "exact")
    assert found(db, "gpt-4o-2024-08-06", evil) == ("gpt-4o", "exact")


def test_an_alias_to_a_model_without_prices_finds_nothing(db):
    db.execute(
        "insert into price_aliases values ('exact', 'soon', 'soon-model', 1), ('prefix', 'later-', 'soon-model', 2)"
    )
    assert found(db, "soon") == (None, None)
    assert found(db, "later-1") == (None, None)


def test_only_signed_in_people_may_run_it(db):
    assert executors(db, "price_model_of") == {"authenticated"}
