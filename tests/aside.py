"""Runs a coroutine from a test, wherever the test runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_aside(work: Coroutine[Any, Any, Any]) -> Any:
    """What the coroutine returns or raises, in a thread of its own.

    Playwright keeps a running event loop in the tests' thread once a browser test of the same process began, and
    asyncio.run refuses there: whether a test met one would depend on what ran before it.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
