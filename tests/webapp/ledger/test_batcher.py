"""Callers of the batcher when a gateway stops: whoever was not answered in time must not go on."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from webapp.ledger.batcher import Batcher, LedgerUnavailable


class Database:
    """Statements that answer everything; ``then`` happens once an answer is there, before anybody has it."""

    closed = False

    def __init__(self) -> None:
        self.then = lambda: None

    def run(self, calls: dict[str, Any]) -> dict[str, Any]:
        gevent.spawn(self.then)
        return {kind: [{"n": n, "outcome": "opened"} for n in range(9)] for kind in calls}

    def close(self) -> None:
        self.closed = True


def test_an_answer_that_comes_while_the_gateway_stops_lets_nobody_go_on():
    database = Database()
    batcher = Batcher(lambda: database, {"settle": [], "open": []})
    assert batcher.submit("open", {"id": "a"})["outcome"] == "opened"
    database.then = batcher.close  # which spools the call as never sent
    with pytest.raises(LedgerUnavailable) as error:
        batcher.submit("open", {"id": "b"})
    assert error.value.sent
