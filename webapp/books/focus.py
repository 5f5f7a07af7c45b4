"""FOCUS 1.2 (focus.finops.org): the columns of a month's charges, as CSV and as Parquet for FinOps tools.

Amounts come from app.focus_charges; nothing is calculated here. Types of a CSV are often guessed by its reader: so no
id is a number, and every quantity and amount has a decimal point.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

from webapp.periods import months_later
from webapp.written import guarded

Charge = dict[str, Any]
UNITS = {"audio_seconds": "Seconds", "standby_seconds": "Seconds", "video_seconds": "Seconds", "images": "Images",
         "input_characters": "Characters", "container_sessions": "Sessions", "requests": "Requests",
         "completion_window": "USD", "regional_processing": "USD"}  # fmt: skip
DECIMALS = {"BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost",
            "ListUnitPrice", "PricingQuantity", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
            "PricingCurrencyListUnitPrice"}  # fmt: skip
DIGITS = Context(prec=38)  # of a decimal in a Parquet file
MOMENTS = {"BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"}


def unit_of(dimension: str) -> str:
    """Unit of a dimension of the ledger, such as Tokens."""
    if dimension.endswith("_calls"):
        return "Calls"
    return UNITS.get(dimension, "Tokens")


def row_of(charge: Charge, month: date, org_id: UUID, name: str, sandbox: bool) -> dict[str, Any]:
    """One charge of app.focus_charges as a row of FOCUS 1.2. None: empty; dates are midnights UTC.

    sandbox: the organization's calls are answered by the sandbox, so the provider is not OpenAI.
    """
    used = charge["kind"] == "usage"
    provider = "SpendAI sandbox" if sandbox else "OpenAI"
    unit = unit_of(charge["dimension"]) if used else None
    row = {
        "BilledCost": charge["billed"],
        "BillingAccountId": f"org-{org_id}",
        "BillingAccountName": name,
        "BillingAccountType": "Organization",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": months_later(month, 1),
        "BillingPeriodStart": month,
        "ChargeCategory": "Usage" if used else "Adjustment",
        "ChargeClass": "Correction" if charge["since"] < month else None,
        "ChargeDescription": _description(charge),
        "ChargeFrequency": "Usage-Based" if used else "One-Time",
        "ChargePeriodEnd": charge["until"],
        "ChargePeriodStart": charge["since"],
        "CommitmentDiscountStatus": None,
        "ConsumedQuantity": charge["quantity"],
        "ConsumedUnit": unit,
        "ContractedCost": charge["contracted"],
        "ContractedUnitPrice": charge["unit_price"],
        "EffectiveCost": charge["billed"],
        "InvoiceId": f"openai-{month:%Y-%m}" if charge["closed"] else None,
        "InvoiceIssuerName": provider,
        "ListCost": charge["list_cost"],
        "ListUnitPrice": charge["list_price"],
        "PricingCategory": "Standard" if used else None,
        "PricingCurrency": "USD",
        "PricingCurrencyContractedUnitPrice": charge["unit_price"],
        "PricingCurrencyEffectiveCost": charge["billed"],
        "PricingCurrencyListUnitPrice": charge["list_price"],
        "PricingQuantity": charge["pricing_quantity"],
        "PricingUnit": _pricing_unit(unit, charge["unit_qty"]),
        "ProviderName": provider,
        "PublisherName": provider,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "OpenAI API",
        "ServiceSubcategory": "Generative AI",
    }
    return row | _sku(charge) | _account_and_tags(charge)


def _pricing_unit(unit: str | None, count: Decimal | None) -> str | None:
    return unit if unit is None or count == 1 else f"{count:f} {unit}"


def _description(charge: Charge) -> str:
    """What the charge is for, in words."""
    what = {
        "by hand": "cost typed in by a person",
        "correction": "correction of an earlier cost",
        "difference": f"difference between OpenAI's bill and the ledger: {charge['reason']}",
        "restatement": "OpenAI changed a month that was closed",
    }
    if charge["kind"] != "usage":
        return what[charge["kind"]] + (f", {charge['model']}" if charge["model"] else "")
    parts = [charge["dimension"].replace("_", " "), charge["qualifier"], charge["tier"] or "standard"]
    return f"{charge['model']}: " + ", ".join(part for part in parts if part)


def _sku(charge: Charge) -> dict[str, Any]:
    """Columns of the SKU; empty for what is no usage."""
    if charge["kind"] != "usage":
        return dict.fromkeys(("SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId"))
    details = {"x_ServiceTier": charge["tier"] or "standard", "x_Qualifier": charge["qualifier"],
               "x_ContextMinTokens": charge["context_min_tokens"]}  # fmt: skip
    return {
        "SkuId": f"{charge['model']}/{charge['dimension']}",
        "SkuMeter": charge["dimension"].replace("_", " ").capitalize(),
        "SkuPriceDetails": json.dumps({name: value for name, value in details.items() if value}),
        "SkuPriceId": f"price-{charge['price_id']}",
    }


def _account_and_tags(charge: Charge) -> dict[str, Any]:
    """OpenAI's project as the sub account; project, key and the client's tags; and columns of SpendAI's own (x_)."""
    account = charge["openai_project_id"]
    ours = {"spendai/project": charge["project"], "spendai/key": charge["key"]}
    tags = (charge["tags"] or {}) | {name: value for name, value in ours.items() if value}
    return {
        "SubAccountId": account,
        "SubAccountName": charge["openai_project"] or account,
        "SubAccountType": "OpenAI project" if account else None,
        "Tags": json.dumps(tags, ensure_ascii=False, sort_keys=True),
        "x_Kind": charge["kind"],
        "x_Model": charge["model"],
        "x_Reason": charge["reason"],
    }


def written(column: str, value: Any) -> str:
    """A value as a CSV file has it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text if "." in text else f"{text}.0"
    if isinstance(value, date):
        return f"{value}T00:00:00Z"
    return guarded(value)


def csv_lines(rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> Iterator[str]:
    """A CSV file, a row at a time, the header first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([written(column, value) for column, value in row.items()])
    yield buffer.getvalue()


NOBODY: Charge = dict.fromkeys(
    ("openai_project_id", "openai_project", "project", "key", "tags", "model", "dimension", "qualifier", "tier",
     "quantity", "context_min_tokens", "unit_price", "unit_qty", "billed", "list_price", "price_id", "pricing_quantity",
     "list_cost", "contracted", "reason")
) | {"kind": "correction", "since": date.min, "until": date.min, "closed": False}  # fmt: skip
COLUMNS = tuple(row_of(NOBODY, date(2026, 1, 1), UUID(int=0), "", False))


def parquet(rows: list[dict[str, Any]]) -> bytes:
    """A Parquet file: amounts as decimals of 24 places, moments in UTC."""
    import pyarrow as pa  # noqa: PLC0415  # slow to import, and seldom needed
    import pyarrow.parquet as pq  # noqa: PLC0415

    def kind(column: str) -> tuple[Any, Callable[[Any], Any]]:
        if column in DECIMALS:
            return pa.decimal128(38, 24), lambda value: value.quantize(Decimal("1e-24"), context=DIGITS)
        if column in MOMENTS:
            return pa.timestamp("us", tz="UTC"), lambda value: datetime(value.year, value.month, value.day, tzinfo=UTC)
        return pa.string(), str

    arrays, fields = [], []
    for column in COLUMNS:
        type_, turned = kind(column)
        fields.append(pa.field(column, type_))
        arrays.append(pa.array([None if row[column] is None else turned(row[column]) for row in rows], type_))
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), file)
    return file.getvalue()
