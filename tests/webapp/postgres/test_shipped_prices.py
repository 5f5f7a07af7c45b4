"""The shipped price list: loaded once; rows in the table are never changed; a new release adds rows."""

from __future__ import annotations

import json

import psycopg
import pytest
from pricing import add_price, price

from webapp.postgres import shipped_prices as prices

MODEL_PRICES = "model,dimension,service_tier,context_min_tokens,unit_price,unit_qty,valid_from,source,note\n"
ALIASES = "kind,pattern,model,ord\n"


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Writes a price list in the place of the shipped one."""
    monkeypatch.setattr(prices, "PRICES", tmp_path)

    def write(model_prices="", aliases="", as_of="2026-11-01"):
        (tmp_path / "list.json").write_text(json.dumps({"as_of": as_of, "sources": "test"}))
        (tmp_path / "model_prices.csv").write_text(MODEL_PRICES + model_prices)
        (tmp_path / "price_aliases.csv").write_text(ALIASES + aliases)

    write()
    return write


def test_every_row_of_the_files_is_in_the_database(db):
    for table, file in (("model_prices", "model_prices.csv"), ("price_aliases", "price_aliases.csv")):
        lines = (prices.PRICES / file).read_text().splitlines()
        assert db.execute(f"select count(*) as n from {table}").fetchone()["n"] == len(lines) - 1


def test_loading_again_changes_nothing(db):
    assert prices.load(db) == 0


def test_new_rows_come_in_and_old_ones_stay(db, shipped):
    shipped(
        "gpt-4o,input_text,standard,0,99,1000000,-infinity,x,\n"
        "gpt-10,input_text,standard,0,0.123456789,1000000,2027-01-01T00:00:00Z,x,\n"
    )
    assert prices.load(db) == 1
    rows = db.execute(
        "select unit_price::text as p from model_prices where model in ('gpt-4o', 'gpt-10')"
        " and dimension = 'input_text' and service_tier = 'standard' order by 1"
    ).fetchall()
    assert [row["p"] for row in rows] == ["0.1234567890", "2.5000000000"]


def test_a_correction_reaches_an_installation_that_has_the_wrong_row(db, shipped):
    wrong, right = (f"gpt-10,web_search_calls,standard,0,,{cost},1000,-infinity,{revision},x,\n" for cost, revision in (
        ("10", 1), ("13.2", 2)))  # fmt: skip
    head = MODEL_PRICES.replace("unit_price", "qualifier,unit_price").replace("source", "revision,source")
    for content, new in ((wrong, 1), (wrong + right, 1), (wrong + right, 0)):
        (prices.PRICES / "model_prices.csv").write_text(head + content)
        assert prices.load(db) == new
    rows = db.execute("select unit_price from model_prices where model = 'gpt-10' order by revision").fetchall()
    assert [str(row["unit_price"]) for row in rows] == ["10.0000000000", "13.2000000000"]
    got = price(db, "gpt-10", {"input_tokens": 0, "output_tokens": 0}, {"web_search_calls": 1})
    assert (str(got.cost.normalize()), got.status) == ("0.0132", "priced")


def test_an_organization_s_price_survives_the_list(db, people, shipped):
    own = add_price(db, "gpt-10", "input_text", "1", org_id=people.orgs["ada"], valid_from="-infinity")
    shipped("gpt-10,input_text,standard,0,5,1000000,-infinity,x,\n")
    assert prices.load(db) == 1
    assert db.execute("select unit_price from model_prices where id = %s", [own]).fetchone()["unit_price"] == 1


NEW = "gpt-10,input_text,standard,0,{},1000000,{},x,\n"


def in_force(db):
    return [float(row["unit_price"]) for row in db.execute(
        "select unit_price from model_prices where model = 'gpt-10' and org_id is null and valid_from <= now()"
        " order by valid_from desc, revision desc"
    )]  # fmt: skip


@pytest.mark.parametrize("revision", [1, 2])
def test_a_price_that_a_person_entered_stays_in_force_for_its_moment_only(db, shipped, revision):
    add_price(db, "gpt-10", "input_text", "1", source="admin", valid_from="-infinity", revision=revision)
    shipped(NEW.format(5, "-infinity"))
    prices.load(db)
    assert in_force(db)[0] == 1
    shipped(NEW.format(5, "-infinity") + NEW.format(6, "2026-01-01T00:00:00Z"))
    prices.load(db)
    assert in_force(db)[:2] == [6, 1]


def test_a_price_that_was_synced_before_it_was_shipped_is_there_once(db, shipped):
    add_price(db, "gpt-10", "input_text", "5", source="sync: genai-prices 1, litellm 2", valid_from="-infinity")
    shipped(NEW.format(5, "-infinity"))
    assert prices.load(db) == 0
    assert in_force(db) == [5]


def test_a_shipped_price_goes_before_another_one_that_was_synced_for_the_same_moment(db, shipped):
    add_price(db, "gpt-10", "input_text", "4", source="sync: litellm 2", valid_from="-infinity")
    shipped(NEW.format(5, "-infinity"))
    assert (prices.load(db), prices.load(db)) == (1, 0)
    assert in_force(db) == [5, 4]


def test_a_later_shipped_price_applies_after_a_synced_one(db, shipped):
    add_price(db, "gpt-10", "input_text", "4", source="sync: litellm 2", valid_from="2025-01-01Z")
    shipped(NEW.format(5, "2026-01-01T00:00:00Z"))
    assert (prices.load(db), prices.load(db)) == (1, 0)
    assert in_force(db) == [5, 4]


def test_the_age_of_the_list_is_written_down_once(db, shipped):
    query = "select as_of::text from private.price_sync_runs where kind = 'shipped' order by id"
    before = db.execute(query).fetchall()
    assert len(before) == 1
    shipped(as_of="2026-12-24")
    prices.load(db)
    prices.load(db)
    assert [row["as_of"] for row in db.execute(query)] == [before[0]["as_of"], "2026-12-24"]


def test_an_alias_follows_the_file_and_the_operator_s_own_stay(db, shipped):
    db.execute("insert into price_aliases values ('exact', 'our-azure-name', 'gpt-4o', 1)")
    shipped(aliases="exact,gpt-5-codex,gpt-5-mini,74\n")
    assert prices.load(db) == 1
    rows = db.execute(
        "select pattern, model from price_aliases where pattern in ('gpt-5-codex', 'our-azure-name')"
    ).fetchall()
    assert {row["pattern"]: row["model"] for row in rows} == {"gpt-5-codex": "gpt-5-mini", "our-azure-name": "gpt-4o"}


@pytest.mark.parametrize(
    "row", ["m,input_text,standard,0,cheap,1000000,-infinity,x,", "m,input_text,standard,0,-1,1000000,-infinity,x,"]
)
def test_a_list_with_something_that_is_no_price_is_refused(db, shipped, row):
    shipped(row + "\n")
    with pytest.raises((psycopg.DataError, psycopg.errors.CheckViolation)), db.transaction():
        prices.load(db)
