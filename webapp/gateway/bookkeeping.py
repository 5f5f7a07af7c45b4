"""Opens and settles one call in the ledger: the same for a request over HTTP and for a response over WebSocket."""

from __future__ import annotations

import logging
from functools import partial

from webapp.gateway.call import Call
from webapp.gateway.refusals import UNAVAILABLE, refused
from webapp.ledger.ledger import Ledger, LedgerRefused, LedgerUnavailable
from webapp.metering import AnswerFacts

log = logging.getLogger("spendai.gateway")


def open_call(ledger: Ledger, call: Call, key_hash: bytes, max_seconds: int) -> None:
    """Check the key and write the open row, or raise ApiError; nothing may go upstream until this returns.

    Only the database knows whether organizations share the OpenAI key; if so, it refuses a call with an objection.
    """
    stopped = partial(call.settle_message, 503, "no_usage", AnswerFacts(), max_seconds)
    try:
        call.opened = ledger.open(call.open_message(key_hash, max_seconds), stopped)
    except (LedgerUnavailable, LedgerRefused):
        raise UNAVAILABLE from None
    if call.opened["outcome"] != "opened":
        raise refused(call.opened["outcome"], call.body.objection)


def settle_call(
    ledger: Ledger, call: Call, status: int, outcome: str, max_seconds: int, facts: AnswerFacts | None = None
) -> None:
    """Settle the call, exactly once. See Ledger.settle for what happens when the database cannot."""
    if call.settled:
        return
    call.settled = True
    message = call.settle_message(status, outcome, facts or AnswerFacts(), max_seconds)
    try:
        outcome = ledger.settle(message)
        org, project = message["org_id"], message["project_id"]
        log.info("call=%s org=%s project=%s status=%s ms=%s %s",
                 call.id, org, project, status, message["latency_ms"], outcome)  # fmt: skip
    except Exception as error:  # a defect of ours, since Ledger.settle raises nothing: the answer must go on
        log.error("call=%s could not be settled and stays in doubt: %s", call.id, type(error).__name__)
