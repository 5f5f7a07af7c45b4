"""Log-ins are counted per account and address, in Postgres: nobody tries passwords without end at any gateway."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, after_this_request, current_app, request

from webapp import db
from webapp.errors import ApiError
from webapp.secrets.proxy_keys import key_hash


@contextmanager
def counted(email: str) -> Iterator[None]:
    """One try to log in. ApiError 429 when there were too many; leaving without an exception means it went well."""
    who = key_hash(email.strip().lower()), address()
    with db.scope("spendai_auth") as tx:
        seconds = tx.call("login_attempt", *who)["login_attempt"]
    if seconds:
        after_this_request(lambda answer: _retry_after(answer, seconds))
        minutes = -(-seconds // 60)
        hint = f"Try again in {minutes} minute{'s' if minutes > 1 else ''}"
        raise ApiError(429, "too_many_attempts", "too many log-ins failed from here", hint=hint)
    yield
    with db.scope("spendai_auth") as tx:
        tx.call("login_succeeded", *who)


def _retry_after(answer: Response, seconds: int) -> Response:
    answer.headers["Retry-After"] = str(seconds)
    return answer


def address() -> str:
    """Where the client is, as far as trusted proxies (FORWARDED_ALLOW_IPS) tell; of IPv6 its /64, one person's."""
    trusted = {part.strip() for part in current_app.config["SPENDAI"].forwarded_allow_ips.split(",")}
    told = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    found = request.remote_addr or ""
    while told and (found in trusted or "*" in trusted):
        found = told.pop()  # the last is the one our own proxy saw
    try:
        parsed = ipaddress.ip_address(found)
    except ValueError:
        return request.remote_addr or ""
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else found
