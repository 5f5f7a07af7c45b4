"""What the page of one call says about its cost, and where its facts lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import url_for

from webapp.filters import filter_value
from webapp.pages.picks import STATUSES
from webapp.written import day, last_day

Row = dict[str, Any]
# A batch has a bound where OpenAI's sum does not tell all that its requests are billed by (see app.price_call).
BATCH_FILE = "its output file tells what each of its requests used: download it through SpendAI"
OPEN = {"open": "still open", "in_doubt": "in doubt: it was sent, but how it ended is not known"}


def price_words(call: Row, lines: list[Row]) -> str:
    """Where the cost of a call comes from: "priced from the list price of 1 Nov 2026, standard tier"."""
    if call["state"] in OPEN:
        return OPEN[call["state"]]
    if call["endpoint"] == "/v1/batches" and call["cost_at_least"] is not None:
        return BATCH_FILE
    status = STATUSES.get(call["cost_status"], call["cost_status"])
    used = [line for line in lines if line["price_id"] is not None]
    if call["cost_status"] not in ("priced", "tier_fallback"):
        return status
    if not used:
        return "closed by hand" if call["status_code"] is None else "the answer says that nothing was used"
    tiers = dict.fromkeys(line["tier"] for line in used if line["tier"])
    words = f"priced from {_prices(used)}" + (f", {' and '.join(tiers)} tier" if tiers else "")
    if call["cost_status"] == "tier_fallback":
        return f"no price for its tier, {'batch' if call['batch'] else call['service_tier']}: {words}"
    return words


def _prices(lines: list[Row]) -> str:
    """The prices of these lines in words, with the day from which the newest of them holds."""
    own = {line["own_price"] for line in lines}
    dates = {line["valid_from"] for line in lines}
    kind = "list" if own == {False} else "own" if own == {True} else "list and own"
    known = [date for date in dates if date is not None]
    if len(own) == len(dates) == 1:
        return f"the {kind} price" + (f" of {day(known[0])}" if known else "")
    return f"{kind} prices" + (f", the newest of {day(max(known))}" if known else "")


def spend_links(call: Row, zone: ZoneInfo) -> Callable[[str, Any], str]:
    """Filter and value → address of Spend with it, or of the project's page, in the month of the call."""
    first = call["started_at"].astimezone(zone).date().replace(day=1)
    month = {"from": first.isoformat(), "to": last_day(first)}

    def link(name: str, value: Any) -> str:
        if name == "project":
            return f"{url_for('projects.show', project_id=value)}?{urlencode(month)}"
        return f"{url_for('spend.index')}?{urlencode(month | {name: filter_value(str(value))})}"

    return link
