"""Operations of the API take the parameters that the OpenAPI document names, and no other."""

from __future__ import annotations

import re

from flask import request

from webapp.api.blueprint import bp
from webapp.api.inputs import refuse_unknown
from webapp.api.openapi import OPERATIONS

# Method and path → its parameters. Pages have grain and compare beside a period: here they change nothing.
PARAMETERS = {
    (operation.method, operation.path): {
        *operation.query,
        *(("grain", "compare") if "period" in operation.query else ()),
    }
    for operation in OPERATIONS
}


@bp.before_request
def _refuse_unknown_parameters() -> None:
    """A misspelt filter would otherwise be no filter: sums of everything, taken for sums of a part.

    A misspelt project_id would delete the OpenAI key of the organization, and not that of the project.
    """
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(request.url_rule))
    known = PARAMETERS.get((request.method.lower(), path))
    if known is not None:  # else HEAD or OPTIONS
        refuse_unknown(request.args, known, "parameter")
