"""The region of OpenAI's API that serves a call, from the base URL that the call is sent to."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

_REGIONAL = re.compile(r"([a-z0-9.-]{1,63})\.api\.openai\.com")


@lru_cache(maxsize=256)
def region_of(base_url: str) -> str | None:
    """``eu`` for https://eu.api.openai.com/v1; None for api.openai.com and for hosts that are not OpenAI's.

    OpenAI charges more for some models in its regions (us, eu, au, in, jp, ae, gov). What stands before
    ``.api.openai.com`` is returned also when it is none of these: it has no price, so the cost stays unknown.
    """
    host = urlsplit(base_url).hostname or ""  # lower case, without user name and port
    match = _REGIONAL.fullmatch(host.removesuffix("."))  # a dot may end the name of any host
    return match[1] if match else None
