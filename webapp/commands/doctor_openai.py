"""Check of `flask doctor` on OpenAI: whether it can be reached from here, and accepts the key of the install."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg

from webapp.commands.doctor_line import Check, Line
from webapp.config import Config
from webapp.upstream.client import Client, UpstreamError
from webapp.upstream.exchange import Request

TIMEOUT = 10  # seconds for the whole answer


def openai(config: Config, conn: psycopg.Connection) -> Iterator[Line]:
    """Ask, as a gateway would, for the list of models, which costs nothing; nothing without OPENAI_API_KEY."""
    if not config.openai_api_key:
        return
    headers = [("Authorization", f"Bearer {config.openai_api_key}")]
    asked = Request("GET", "/models", headers, None, None, time.monotonic() + TIMEOUT)
    try:
        answer = Client(min(config.upstream_connect_timeout, TIMEOUT), TIMEOUT).send(config.openai_base_url, asked)
    except UpstreamError as error:
        yield Line("fail", f"{config.openai_base_url}: {error.message}: check OPENAI_BASE_URL, and whether this "
                   "machine may reach it directly, without a proxy")  # fmt: skip
        return
    answer.close()
    if answer.status == 401:
        yield Line("fail", "OpenAI refuses OPENAI_API_KEY (HTTP 401): take a key that is valid")
    elif answer.status == 404:
        yield Line("warn", "OpenAI answers with HTTP 404: check the path of OPENAI_BASE_URL")
    elif answer.status >= 500:
        yield Line("warn", f"OpenAI answers with HTTP {answer.status}: see its status page")
    else:
        yield Line("ok", "OpenAI can be reached")


CHECKS: tuple[Check, ...] = (openai,)
