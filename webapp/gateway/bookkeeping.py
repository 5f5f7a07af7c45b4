"""Opens and settles one call in the ledger: the same for a request over HTTP and for a response over WebSocket."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import NamedTuple

from webapp.gateway.call import Call
from webapp.gateway.refusals import HUNG_UP, UNAVAILABLE, refused
from webapp.ledger.ledger import Ledger, LedgerRefused, LedgerUnavailable
from webapp.metering import AnswerFacts
from webapp.metrics import measured

log = logging.getLogger("spendai.gateway")


class Bookkeeper(NamedTuple):
    """max_seconds: a call that is not settled after so many seconds is in doubt."""

    ledger: Ledger
    max_seconds: int

    def open(self, call: Call, key_hash: bytes) -> None:
        """Check the key and write the open row, or raise ApiError; nothing may go upstream until this returns.

        Only the database knows whether organizations share the OpenAI key; if so, it refuses a call with an objection.
        """
        stopped = partial(call.settle_message, 503, "no_usage", AnswerFacts(), self.max_seconds)
        try:
            call.opened = self.ledger.open(call.open_message(key_hash, self.max_seconds), stopped)
        except (LedgerUnavailable, LedgerRefused):
            raise UNAVAILABLE.anew() from None
        if call.opened["outcome"] != "opened":
            raise refused(call.opened["outcome"], call.body.objection)

    def settle(self, call: Call, status: int, outcome: str, facts: AnswerFacts | None = None) -> None:
        """Settle the call, exactly once. See Ledger.settle for what happens when the database cannot."""
        if call.settled:
            return
        call.settled = True
        message = call.settle_message(status, outcome, facts or AnswerFacts(), self.max_seconds)
        try:
            settled = self.ledger.settle(message)
            org, project = message["org_id"], message["project_id"]
            log.info("call=%s org=%s project=%s status=%s ms=%s %s",
                     call.id, org, project, status, message["latency_ms"], settled)  # fmt: skip
        except Exception as error:  # a defect of ours, since Ledger.settle raises nothing: the answer must go on
            log.error("call=%s could not be settled and stays in doubt: %s", call.id, type(error).__name__)
            settled = "defect"
        measure(call, status, outcome, settled)


def measure(call: Call, status: int, outcome: str, settled: str) -> None:
    """Count a call that has ended. settled: what became of its settle message."""
    now = time.monotonic()
    measured.CALLS[outcome, status // 100].add()
    measured.DURATION.observe(now - call.clock)
    if call.sent and call.heard and status != HUNG_UP:
        measured.ADDED.observe(call.sent - call.clock + now - call.heard)
    if call.first_byte and call.body.facts().stream:
        measured.FIRST_TOKEN.observe(call.first_byte - call.clock)
    if problem := measured.SETTLE_PROBLEMS.get(settled):
        problem.add()
