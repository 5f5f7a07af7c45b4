"""Refuses calls that come back: a base URL may lead to this install again, also through other SpendAIs.

Each call that goes to another host than OpenAI's carries the header x-spendai-via: the marks of the installs that the
call has passed, oldest first. A mark is 16 hexadecimal digits, the same for all gateways that share a SECRET_KEY.
OpenAI does not get the header, since nothing comes back from there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache

from webapp.errors import ApiError
from webapp.gateway.region import is_openai

NAME = "X-SpendAI-Via"
MOST = 4  # SpendAIs that a call may have passed before it arrives here
MARK = re.compile(r"[0-9a-f]{16}")


@lru_cache(maxsize=8)
def mark_of(secret_key: str) -> str:
    """The mark of the install with this SECRET_KEY. It tells nothing about the key."""
    return hmac.new(secret_key.encode(), b"x-spendai-via", hashlib.sha256).hexdigest()[:16]


def refuse_loop(environ: Mapping[str, str], secret_key: str) -> None:
    """Raise ApiError for a request that this install has sent itself, or that has passed more than MOST installs."""
    if not (passed := _passed(environ)):
        return
    if mark_of(secret_key) in passed:
        raise ApiError(508, "loop_detected", "The base URL of an OpenAI key leads back to this SpendAI")
    if len(passed) > MOST:
        raise ApiError(508, "loop_detected", f"The call has passed more than {MOST} SpendAIs; their base URLs may loop")


def via(environ: Mapping[str, str], secret_key: str, base_url: str) -> list[tuple[str, str]]:
    """The header for a call to this base URL, as a list of one; an empty list where OpenAI is."""
    if is_openai(base_url):
        return []
    known = [mark for mark in _passed(environ) if MARK.fullmatch(mark)]
    return [(NAME, ", ".join([*known, mark_of(secret_key)]))]


def _passed(environ: Mapping[str, str]) -> list[str]:
    """What stands in the request's header, one word for each install."""
    header = environ.get("HTTP_X_SPENDAI_VIA")
    return [word for part in header.split(",") if (word := part.strip())] if header else []
