"""The shipped price list: loaded once; rows in the table are never changed; a new release adds rows."""

from __future__ import annotations

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

    def write(model_prices="", aliases=""):
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
