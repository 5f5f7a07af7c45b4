"""Looks host names up. A name without an answer delays neither log-ins nor calls to OpenAI or OPENAI_BASE_URL.

gevent looks names up in ten threads, in which a worker also hashes passwords and flushes its spool. A look-up may last
half a minute, and everybody can have a name server: ten calls to a base URL of an organization's own would stop log-ins
and new connections to OpenAI. So only OpenAI's names and that of OPENAI_BASE_URL are looked up there. The others share
THREADS threads: as many names without an answer delay calls to all other base URLs that organizations chose.
"""

from __future__ import annotations

import socket
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.monkey import get_original, is_module_patched
from gevent.threadpool import ThreadPool

THREADS = 8  # in which the other names are looked up
Found = list[tuple[Any, ...]]  # as socket.getaddrinfo returns it
operators: set[str] = set()  # hosts that the operator chose
_under_way: dict[tuple[str, int], AsyncResult] = {}
_threads: list[ThreadPool] = []  # made when it is first needed: threads do not cross a fork


def look_up(host: str, port: int, seconds: float) -> Found:
    """The addresses of a host for TCP. Raises TimeoutError, another OSError, or UnicodeError for what is no name.

    seconds: how long a name that others chose is waited for.
    """
    if host in operators or host.endswith(".openai.com") or not is_module_patched("socket"):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if (found := _under_way.get((host, port))) is None:
        found = _under_way[host, port] = AsyncResult()
        gevent.spawn(_look_up, host, port, found)
    with gevent.Timeout(seconds, TimeoutError):
        return found.get()


def _look_up(host: str, port: int, found: AsyncResult) -> None:
    """Look a name up for all who wait for it."""
    if not _threads:
        _threads.append(ThreadPool(THREADS))
    try:
        words = (host, port, 0, socket.SOCK_STREAM)
        found.set(_threads[0].apply(get_original("socket", "getaddrinfo"), words))
    except Exception as error:
        found.set_exception(error)
    finally:
        del _under_way[host, port]
