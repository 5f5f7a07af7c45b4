"""Passwords: what is accepted, hashing and checking. bcrypt runs in real threads, else it would block all greenlets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import bcrypt
import gevent

from webapp.errors import ApiError

COST = 10  # rounds, as a power of two; about 55 ms
# The hash against which a password is checked where the address is unknown: takes as long as a wrong password.
NOBODY = b"$2a$10$xk/u1VTmOCa9Q6RDeXxm4uX/fLZjI2V4FXFeBgNSnAPGG.ylSEhuC"


@cache
def common() -> frozenset[str]:
    """The most used passwords of at least 8 characters, in lower case."""
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="ascii").split())


def check(password: str, email: str = "", organization: str | None = None) -> bytes:
    """The password in UTF-8; ApiError 400 when it cannot be used. bcrypt reads 72 bytes and stops at a NUL.

    email, organization: of the person whose password it is; they are what somebody who guesses tries first.
    """
    raw = password.encode()
    if len(password) < 8:
        raise ApiError(400, "password_too_short", "a password has at least 8 characters", "password")
    if len(raw) > 72:
        raise ApiError(
            400, "password_too_long", "a password has at most 72 bytes", "password", "Accents and symbols take several"
        )
    if b"\0" in raw:
        raise ApiError(400, "password_invalid", "a password cannot contain a NUL character", "password")
    word, address = password.strip().lower(), email.strip().lower()
    if word in common():
        raise _guessed("this is one of the most used passwords")
    if word in (address, address.partition("@")[0]):
        raise _guessed("a password must not be your e-mail address or its beginning")
    if word == (organization or "").strip().lower():
        raise _guessed("a password must not be the name of your organization")
    return raw


def _guessed(why: str) -> ApiError:
    return ApiError(400, "password_too_common", why, "password", "Choose one that nobody would guess")


def hashed(password: str, email: str = "", organization: str | None = None) -> str:
    """bcrypt hash of a new password, in the 2a form that every implementation verifies; ApiError 400 of ``check``."""
    raw = check(password, email, organization)
    return _threaded(bcrypt.hashpw, raw, bcrypt.gensalt(COST, prefix=b"2a")).decode()


def matches(password: str, found: str | None) -> bool:
    """Whether a password matches a hash. found: None where no account exists; that takes the same time."""
    raw = password.encode()
    usable = len(raw) <= 72 and b"\0" not in raw
    fits = _threaded(bcrypt.checkpw, raw if usable else b"", (found or "").encode() or NOBODY)
    return fits and usable and found is not None


def _threaded(function: Callable[..., Any], *args: bytes) -> Any:
    return gevent.get_hub().threadpool.apply(function, args)
