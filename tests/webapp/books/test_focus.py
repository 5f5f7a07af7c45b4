"""The FOCUS 1.2 file, rule by rule (the facts: focus.finops.org, and what readers of CSV files guess)."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from webapp.books.focus import COLUMNS, DECIMALS, MOMENTS, csv_lines, parquet, row_of, unit_of

MONTH = date(2026, 10, 1)
ORG = UUID("11111111-2222-3333-4444-555555555555")
USAGE: dict[str, Any] = {
    "kind": "usage", "since": date(2026, 10, 14), "until": date(2026, 10, 15), "closed": True,
    "openai_project_id": "proj_a", "openai_project": "Chat",
    "project": "chat", "key": "main sk-spend-ab…", "tags": {"team": "=blue"},
    "model": "gpt-4o-mini",
    "dimension": "input_text", "qualifier": None, "tier": "standard", "context_min_tokens": 0, "quantity": D("1308546"),
    "unit_price": D("0.15"), "unit_qty": D(1000000), "billed": D("0.1962819"), "list_price": D("0.2"), "price_id": 151,
    "pricing_quantity": D("1.308546"), "list_cost": D("0.2617092"), "contracted": D("0.1962819"), "reason": None,
}  # fmt: skip
NOTHING = dict.fromkeys(
    ("openai_project_id", "openai_project", "project", "key", "model", "dimension", "qualifier", "tier", "quantity",
     "context_min_tokens", "unit_price", "unit_qty", "list_price", "price_id", "pricing_quantity")
)  # fmt: skip
DIFFERENCE = USAGE | NOTHING | {
    "kind": "difference", "tags": {}, "reason": "free_tokens", "billed": D("-0.02"), "list_cost": D(0),
    "contracted": D(0),
}  # fmt: skip
CORRECTION = USAGE | NOTHING | {"kind": "correction", "closed": False, "model": "o3", "since": date(2026, 9, 30)}
MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
]
CONDITIONAL = [
    "BillingAccountType",
    "ChargeFrequency",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedUnitPrice",
    "InvoiceId",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
]


def row(charge: dict[str, Any], sandbox: bool = False) -> dict[str, Any]:
    return row_of(charge, MONTH, ORG, "Acme", sandbox)


def written(*charges: dict[str, Any]) -> list[dict[str, str]]:
    text = "".join(csv_lines([row(charge) for charge in charges], COLUMNS))
    return list(csv.DictReader(io.StringIO(text)))


def test_every_column_is_there_and_others_begin_with_x() -> None:
    assert set(MANDATORY) | set(CONDITIONAL) == {name for name in COLUMNS if not name.startswith("x_")}
    assert len(COLUMNS) == len(set(COLUMNS))


@pytest.mark.parametrize("column", sorted({*MANDATORY} - {"ChargeClass", "PricingQuantity", "PricingUnit"}))
def test_a_mandatory_column_is_never_empty(column: str) -> None:
    assert all(line[column] for line in written(USAGE, DIFFERENCE, CORRECTION))


def test_usage_has_quantities_prices_and_a_sku_and_other_charges_have_none() -> None:
    names = ("PricingQuantity", "PricingUnit", "ConsumedQuantity", "ConsumedUnit", "ListUnitPrice",
             "ContractedUnitPrice", "PricingCategory", "SkuId", "SkuPriceId", "SkuMeter",
             "SkuPriceDetails")  # fmt: skip
    usage, difference, correction = written(USAGE, DIFFERENCE, CORRECTION)
    assert [usage["ChargeCategory"], difference["ChargeCategory"]] == ["Usage", "Adjustment"]
    assert all(usage[name] for name in names)
    assert not any(line[name] for name in names for line in (difference, correction))


def test_costs_are_prices_times_quantities() -> None:
    made = row(USAGE)
    assert made["PricingQuantity"] * made["ListUnitPrice"] == made["ListCost"]
    assert made["PricingQuantity"] * made["ContractedUnitPrice"] == made["ContractedCost"]
    assert made["EffectiveCost"] == made["BilledCost"]


def test_only_a_charge_for_an_earlier_month_is_a_correction() -> None:
    assert [line["ChargeClass"] for line in written(USAGE, DIFFERENCE, CORRECTION)] == ["", "", "Correction"]


def test_only_charges_of_a_closed_month_have_an_invoice() -> None:
    assert [line["InvoiceId"] for line in written(USAGE, CORRECTION)] == ["openai-2026-10", ""]


def test_numbers_have_a_decimal_point_and_no_exponent() -> None:
    tiny = USAGE | {"billed": D("4.5E-30"), "quantity": D("1E+3")}
    for line in written(tiny):
        assert [name for name in DECIMALS if not re.fullmatch(r"-?\d+\.\d+", line[name])] == []
        assert (line["ConsumedQuantity"], line["PricingUnit"]) == ("1000.0", "1000000 Tokens")


def test_no_id_is_a_number() -> None:
    (line,) = written(USAGE)
    ids = [line[name] for name in COLUMNS if name.endswith("Id")]
    assert line["SkuPriceId"] == "price-151"
    assert not any(re.fullmatch(r"[\d.]+", value) for value in ids)


def test_the_commitment_discount_status_is_empty_and_both_currencies_agree() -> None:
    (line,) = written(USAGE)
    assert line["CommitmentDiscountStatus"] == ""
    assert (line["PricingCurrency"], line["BillingCurrency"]) == ("USD", "USD")
    for name in ("ContractedUnitPrice", "EffectiveCost", "ListUnitPrice"):
        assert line[f"PricingCurrency{name}"] == line[name]


def test_moments_are_utc_and_periods_end_where_the_next_begins() -> None:
    (line,) = written(USAGE)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", line[name]) for name in MOMENTS)
    assert (line["BillingPeriodStart"], line["BillingPeriodEnd"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    december = row_of(USAGE, date(2026, 12, 1), ORG, "Acme", False)
    assert december["BillingPeriodEnd"] == date(2027, 1, 1)


def test_tags_are_json_and_the_sub_account_is_openai_s_project() -> None:
    (line,) = written(USAGE)
    tags = {"team": "=blue", "spendai/project": "chat", "spendai/key": "main sk-spend-ab…"}
    assert json.loads(line["Tags"]) == tags
    assert (line["SubAccountId"], line["SubAccountName"], line["SubAccountType"]) == (
        "proj_a",
        "Chat",
        "OpenAI project",
    )
    (bare,) = written(DIFFERENCE)
    assert (bare["SubAccountId"], bare["SubAccountType"], bare["Tags"]) == ("", "", "{}")


def test_no_cell_is_a_formula() -> None:
    (line,) = written(USAGE | {"model": "=cmd()"})
    assert (line["x_Model"], line["SkuId"]) == ("'=cmd()", "'=cmd()/input_text")


def test_the_sandbox_is_not_called_openai() -> None:
    made = row(USAGE, sandbox=True)
    assert {made[name] for name in ("ProviderName", "PublisherName", "InvoiceIssuerName")} == {"SpendAI sandbox"}


@pytest.mark.parametrize(
    ("dimension", "unit"),
    [("cached_audio", "Tokens"), ("web_search_calls", "Calls"), ("images", "Images"), ("regional_processing", "USD")],
)
def test_units(dimension: str, unit: str) -> None:
    assert unit_of(dimension) == unit


def test_parquet_has_the_same_columns_with_types() -> None:
    from pyarrow import parquet as pq

    rows = [row(USAGE), row(DIFFERENCE), row(CORRECTION)]
    table = pq.read_table(io.BytesIO(parquet(rows)))
    assert tuple(table.column_names) == COLUMNS
    assert table["BilledCost"].to_pylist() == [line["BilledCost"] for line in rows]
    assert str(table.schema.field("ChargePeriodStart").type) == "timestamp[us, tz=UTC]"
    assert table["ChargeClass"].to_pylist() == [None, None, "Correction"]


@pytest.mark.parametrize("amount", ["12345.6", "-99999999999999.123456789012345678901234", "1E+13", "4E-24"])
def test_parquet_has_every_digit_of_an_amount(amount: str) -> None:
    from pyarrow import parquet as pq

    made = parquet([row(USAGE | {"billed": D(amount)})])
    assert pq.read_table(io.BytesIO(made))["BilledCost"].to_pylist() == [D(amount)]
