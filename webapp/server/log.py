"""gunicorn's log: each warning is one line, which quotes nothing of the request.

gunicorn's own format names the process, which is not known where webapp/logs.py has switched that off: each line would
come with a traceback. Its warnings quote the header or the request line that was malformed, with keys and queries.
"""

from __future__ import annotations

import re
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

REFUSED = re.compile(r"(Invalid request from ip=\S+: [^:\n]{0,80}).*", re.DOTALL)


class Logger(GunicornLogger):
    """For gunicorn's setting ``logger_class``."""

    error_fmt = "%(asctime)s [%(levelname)s] %(message)s"

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A warning; of a malformed request the client's address and what is wrong."""
        super().warning(REFUSED.sub(r"\1", msg), *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """An error with its traceback; the target of a request, which may be among ``args``, without its query."""
        shown = [arg.partition("?")[0] if isinstance(arg, str) else arg for arg in args]
        super().exception(msg, *shown, **kwargs)
