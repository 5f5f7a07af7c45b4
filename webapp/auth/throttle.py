"""Limits of log-ins and sign-ups per client address, counted in Postgres, so that they hold across all gateways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_network

from flask import Response, after_this_request, current_app, request

from webapp import db
from webapp.auth.client_address import read_address, trusted_by
from webapp.errors import ApiError
from webapp.secrets.hashing import sha256_of


@contextmanager
def counted(email: str) -> Iterator[None]:
    """One try to log in. ApiError 429 when there were too many; leaving without an exception means it went well."""
    who = sha256_of(email.strip().lower()), address()
    with db.scope("spendai_auth") as tx:
        seconds = tx.call("login_attempt", *who)["login_attempt"]
    if seconds:
        raise _too_many("too many log-ins failed from here", seconds)
    yield
    with db.scope("spendai_auth") as tx:
        tx.call("login_succeeded", *who)


def count_signup() -> None:
    """Count a sign-up, before its password is hashed. ApiError 429 when there were too many from this address."""
    with db.scope("spendai_auth") as tx:
        seconds = tx.call("signup_attempt", address())["signup_attempt"]
    if seconds:
        raise _too_many("too many people signed up from here", seconds)


def _too_many(message: str, seconds: int) -> ApiError:
    """The error for a limit that is reached for so many seconds; its answer gets the header Retry-After."""
    after_this_request(lambda answer: _retry_after(answer, seconds))
    minutes = -(-seconds // 60)
    return ApiError(
        429, "too_many_attempts", message, hint=f"Try again in {minutes} minute{'s' if minutes > 1 else ''}"
    )


def _retry_after(answer: Response, seconds: int) -> Response:
    answer.headers["Retry-After"] = str(seconds)
    return answer


def address() -> str:
    """Where the client is, as far as trusted proxies (FORWARDED_ALLOW_IPS) tell: its IPv4 address or its IPv6 /64.

    One person has a whole /64 of IPv6. Empty for a client without an IP address.
    """
    trusted = trusted_by(current_app.config["SPENDAI"].forwarded_allow_ips)
    told = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    found = read_address(request.remote_addr or "")
    while told and trusted(found):
        if (before := read_address(told.pop())) is None:  # the last entry is the one our own proxy wrote
            break
        found = before
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found or "")
