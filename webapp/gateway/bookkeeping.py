"""Opens and settles one call in the ledger: the same for a request over HTTP and for a response over WebSocket."""

from __future__ import annotations

import logging
from functools import partial
from typing import NamedTuple

from webapp.gateway.call import Call
from webapp.gateway.refusals import UNAVAILABLE, refused
from webapp.ledger.ledger import Ledger, LedgerRefused, LedgerUnavailable
from webapp.metering import AnswerFacts

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
            raise UNAVAILABLE from None
        if call.opened["outcome"] != "opened":
            raise refused(call.opened["outcome"], call.body.objection)

    def settle(self, call: Call, status: int, outcome: str, facts: AnswerFacts | None = None) -> None:
        """Settle the call, exactly once. See Ledger.settle for what happens when the database cannot."""
        if call.settled:
            return
        call.settled = True
        message = call.settle_message(status, outcome, facts or AnswerFacts(), self.max_seconds)
        try:
            outcome = self.ledger.settle(message)
            org, project = message["org_id"], message["project_id"]
            log.info("call=%s org=%s project=%s status=%s ms=%s %s",
                     call.id, org, project, status, message["latency_ms"], outcome)  # fmt: skip
        except Exception as error:  # a defect of ours, since Ledger.settle raises nothing: the answer must go on
            log.error("call=%s could not be settled and stays in doubt: %s", call.id, type(error).__name__)
