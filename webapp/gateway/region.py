"""What a base URL says of the server behind it: whether it is OpenAI's, and which region of OpenAI's API it is."""

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
    match = _REGIONAL.fullmatch(_host(base_url))
    return match[1] if match else None


@lru_cache(maxsize=256)
def is_openai(base_url: str) -> bool:
    """Whether it leads to OpenAI's API, in any region."""
    return f".{_host(base_url)}".endswith(".api.openai.com")


def _host(base_url: str) -> str:
    """Its host: lower case, without user name, port, and the dot that may end the name of any host."""
    return (urlsplit(base_url).hostname or "").removesuffix(".")
