"""gzip for pages and static files, for clients that accept it: pages on each request, static files once per worker.

What it gains, measured (`.venv/bin/python bench/server.py`, last table): Plotly's 1.19 MB go out as 0.40 MB, and
because the result is kept, a request for them takes no more processor time than sending the file as it is (2 ms;
compressing it each time takes 56 ms or more). Pages shrink to less than a third (tests/webapp/test_compress.py).

Why not Flask-Compress (1.25 compared): it also compresses requests that another site caused, partial answers (206)
and streams unless told otherwise, adds `Vary` to every answer of the API, keeps static files only through a cache that
we would have to write, and brings in Brotli and Zstandard. We would still write most of this module around it.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.http import parse_options_header

TYPES = ("text/html", "text/css", "text/javascript", "application/json", "image/svg+xml", "text/csv")
LEAST = 1000  # bytes; a shorter answer saves less than the added headers take
QUICK, SMALL = 5, 9  # gzip levels: for an answer that is sent once, for a file whose compressed form is kept


@lru_cache(maxsize=32)
def _small(path: Path, changed: float) -> bytes:
    """A file compressed; ``changed``, its modification time, makes a changed file a new entry of the cache."""
    return gzip.compress(path.read_bytes(), SMALL, mtime=0)


def wanted() -> bool:
    """Whether the answer to the current request may be compressed.

    Never when another site made the browser send the request: by repeating part of a secret in the request and watching
    the length of the compressed page, that site could find the secret (the BREACH attack).
    """
    accepted = request.accept_encodings.quality("gzip") > 0 and "Range" not in request.headers
    return accepted and request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none")


def init_app(app: Flask) -> None:
    """Compress the answers of pages and static files from now on; the API's and streamed answers stay unchanged."""

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
            response.make_conditional(request)  # Flask compared If-None-Match with the tag of the uncompressed file
        return response
