"""What is read from the API takes the parameters that the OpenAPI document names, and no other."""

from __future__ import annotations

import re

from flask import request

from webapp.api.blueprint import bp
from webapp.api.openapi import OPERATIONS
from webapp.errors import ApiError

# Path → its parameters. Pages have grain and compare beside a period: here they change nothing.
PARAMETERS = {
    operation.path: {*operation.query, *(("grain", "compare") if "period" in operation.query else ())}
    for operation in OPERATIONS
    if operation.method == "get"
}


@bp.before_request
def _refuse_unknown_parameters() -> None:
    """A misspelt filter would otherwise be no filter: sums of everything, taken for sums of a part."""
    if request.method == "GET" and request.args:
        known = PARAMETERS[re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", request.url_rule.rule)]
        for name in request.args.keys() - known:
            words = f"there is no such parameter here; there are {', '.join(sorted(known)) or 'none'}"
            raise ApiError(400, "unknown_parameter", words, name[:64])
