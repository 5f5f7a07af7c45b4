"""How the cost of one call came about, line by line: the text of ``flask prices explain``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from webapp.written import counted, exact, moment, number, rate

LINES = """select l.*, (c.cost_lines -> (l.n - 1)::integer ->> 'at_least')::numeric as at_least
    from app.call_find(%s) c cross join lateral app.price_lines(c.cost_lines) l order by l.n"""

PROBLEMS = """select unnest(app.usage_problems(u.usage)) as problem
    from public.usage_logs u where u.id = %s and u.started_at = %s"""


def explained(conn: psycopg.Connection[dict[str, Any]], call_id: UUID) -> list[str] | None:
    """Lines of text: the call, one line for each priced quantity, what is inconsistent in its usage, its cost, then
    fills and corrections; None when there is no such call. conn: the owner's, with rows as dicts."""
    call = conn.execute("select * from app.call_find(%s)", [call_id]).fetchone()
    if call is None:
        return None
    words = [
        f"call {call_id} of {call['organization']}, {moment(call['started_at'])} UTC"
        + (" (sandbox: play money)" if call["upstream"] == "sandbox" else ""),
        f"{call['method']} {call['endpoint']}, model {call['model'] or call['model_requested'] or 'unknown'},"
        f" tier {call['service_tier'] or 'unknown'}{', batch' if call['batch'] else ''}",
    ]
    lines = conn.execute(LINES, [call_id]).fetchall()
    words += [_line(line) for line in lines]
    at = call_id, call["started_at"]
    words += [f"  the usage is inconsistent: {row['problem']}" for row in conn.execute(PROBLEMS, at)]
    bound = sum(line["at_least"] or 0 for line in lines) or None  # OpenAI reported only a part of what it bills
    words.append(f"cost {_dollars(call['cost'], bound)} ({call['cost_status'] or call['state']})")
    for fill in conn.execute("select * from app.call_fills(%s)", [call_id]):
        words.append(f"  filled {moment(fill['at'])} UTC, was {fill['old_status']}: {fill['reason']}")
    corrections = conn.execute("select * from app.call_corrections(%s)", [call_id]).fetchall()
    words += [f"  {exact(row['delta'])} booked {moment(row['at'])} UTC: {row['reason']}" for row in corrections]
    if corrections:
        words.append(f"corrected cost {_dollars(call['cost_corrected'])}")
    return words


def _line(line: dict[str, Any]) -> str:
    """input_text  1,000 × $0.15 / 1,000,000 = $0.00015  (price row 12, genai-prices 0.2.3, …)"""
    what = line["dimension"] + (f" {line['qualifier']}" if line["qualifier"] else "")
    if line["unit_price"] is None:
        return f"  {what}  {counted(line)} × no price"
    price = [f"price row {line['price_id']}", "the organization's own" if line["own_price"] else line["source"]]
    price.append(f"from {moment(line['valid_from'])} UTC" if line["valid_from"] else "from the beginning")
    price += [f"revision {line['revision']}", f"tier {line['tier']}"]
    if line["context_min_tokens"]:
        price.append(f"above {number(line['context_min_tokens'])} input tokens")
    if line["priced_as"]:
        price.append(f"priced as {line['priced_as']}")
    cost = _dollars(line["cost"], line["at_least"])
    return f"  {what}  {counted(line)} × {rate(line, ' / ')} = {cost}  ({', '.join(price)})"


def _dollars(value: Decimal | None, at_least: Decimal | None = None) -> str:
    if value is None:
        return "unknown" if at_least is None else f"at least {exact(at_least)}"
    return exact(value)
