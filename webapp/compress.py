"""Answers are compressed by gzip for browsers that take it: pages each time, static files once."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.http import parse_options_header

TYPES = ("text/html", "text/css", "text/javascript", "application/json", "image/svg+xml", "text/csv")
LEAST = 1000  # bytes; less does not get smaller by more than a header
QUICK, SMALL = 5, 9  # levels: for what is sent once, for what is kept


@lru_cache(maxsize=32)
def _small(path: Path, changed: float) -> bytes:
    return gzip.compress(path.read_bytes(), SMALL, mtime=0)


def wanted() -> bool:
    """Whether this answer may be compressed.

    Not for a request that another site made a browser send: sizes of compressed pages would tell that site, guess by
    guess, what stands in them.
    """
    accepted = request.accept_encodings.quality("gzip") > 0 and "Range" not in request.headers
    return accepted and request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none")


def init_app(app: Flask) -> None:
    """Compress what pages and static files answer; the API and streams go as they are."""

    @app.after_request
    def _compress(response: Response) -> Response:
        kind = parse_options_header(response.headers.get("Content-Type"))[0]
        if kind not in TYPES or response.status_code != 200 or request.path.startswith("/api/"):
            return response
        response.vary.add("Accept-Encoding")
        if not wanted() or response.headers.get("Content-Encoding"):
            return response
        if request.endpoint == "static":
            path = Path(app.static_folder or "") / (request.view_args or {})["filename"]
            small = _small(path, path.stat().st_mtime)
            response.direct_passthrough = False
            response.close()
        elif response.is_streamed or len(response.get_data()) < LEAST:
            return response
        else:
            small = gzip.compress(response.get_data(), QUICK, mtime=0)
        response.set_data(small)
        response.headers["Content-Encoding"] = "gzip"
        if response.headers.get("ETag"):
            tag, _ = response.get_etag()
            response.set_etag(f"{tag}-gzip", weak=True)
        return response
