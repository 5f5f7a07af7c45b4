"""Metering: what a call asked for and what its answer says it used. Pure: bytes in, facts out, no I/O.

A request becomes `RequestFacts` (`read_json_request`, or `FormReader` for multipart bodies). Its answer passes through
a `Meter`, which returns the bytes as they come, holds back only the end of the answer until the ledger has committed,
and then returns the `AnswerFacts` that decide the price. Nothing here computes a price, and nothing keeps prompts or
completions. Imports no other room.
"""

from __future__ import annotations

from webapp.metering.answer import AnswerFacts
from webapp.metering.form import FormReader
from webapp.metering.meter import Meter
from webapp.metering.request import RequestFacts, read_json_request
from webapp.metering.tags import Tags, parse_tags, warning

__all__ = ["AnswerFacts", "FormReader", "Meter", "RequestFacts", "Tags", "parse_tags", "read_json_request", "warning"]
