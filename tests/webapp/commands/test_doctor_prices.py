"""`flask doctor`: its lines about the price list, seen from moments that are passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from commands import Operator, operator
from psycopg.rows import dict_row, tuple_row
from spending import spent

from webapp.commands import doctor, doctor_prices

__all__ = ["operator"]
SHIPPED = datetime(2027, 1, 1, tzinfo=UTC)


def line(check: Callable[..., object], operator: Operator, now: datetime) -> tuple[str, str]:
    operator.conn.row_factory = tuple_row  # as owner_connection opens it for doctor
    (found,) = check(operator.app.config["SPENDAI"], operator.conn, now)
    operator.conn.row_factory = dict_row
    return found


@pytest.mark.parametrize(("days", "status"), [(1, "ok"), (60, "ok"), (61, "warn")])
def test_a_list_that_was_not_compared_for_sixty_days_is_a_warning(operator: Operator, days: int, status: str) -> None:
    operator.conn.execute(
        "insert into private.price_sync_runs (kind, as_of, source, counts, difference)"
        " values ('shipped', %s, 'test', '{}', '[]')",
        [SHIPPED.date()],
    )
    found, text = line(doctor_prices.price_list, operator, SHIPPED + timedelta(days=days))
    assert found == status and "2027-01-01" in text
    assert ("flask prices sync --fetch" in text) == (status == "warn")


def test_a_model_without_a_price_is_named_for_a_week(operator: Operator) -> None:
    now = datetime.now(UTC)
    assert line(doctor_prices.unpriced, operator, now)[0] == "ok"
    spent(operator.people(), model="gpt-99", usage={"prompt_tokens": 1, "completion_tokens": 0})
    status, text = line(doctor_prices.unpriced, operator, now)
    assert status == "warn" and "gpt-99" in text and "flask prices sync --fetch" in text
    assert line(doctor_prices.unpriced, operator, now + timedelta(days=8))[0] == "ok"


def test_doctor_looks_at_the_price_list() -> None:
    assert set(doctor_prices.CHECKS) < set(doctor.CHECKS)
