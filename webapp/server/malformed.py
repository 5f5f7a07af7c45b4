"""Answers to requests that gunicorn refuses before the application sees them: errors in OpenAI's shape.

gunicorn's own answer is a page that quotes the malformed line, with keys and queries.
"""

from __future__ import annotations

import json
import socket

from gunicorn import util

TOO_LARGE = "The request line or a header is too long, or there are too many headers"
MALFORMED = "This is no valid HTTP/1.1 request"
DEFECT = "Something went wrong on our side"


def write_error(sock: socket.socket, status: int, reason: str, _quoted: str) -> None:
    """Write the answer; gunicorn then closes the connection. Replaces its function of this name."""
    code, message = "malformed_request", MALFORMED
    if status in (414, 431):
        code, message = "headers_too_large", TOO_LARGE
    elif status == 500:
        code, message = "internal_error", DEFECT
    kind = "api_error" if status == 500 else "invalid_request_error"
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    util.write_nonblock(sock, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
