"""gunicorn's settings: gevent workers that listen on HOST:PORT, or on the socket that `make run` passes instead."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()  # before every other import: psycopg decides at import how it waits for the database

from webapp.server import versions

versions.check()  # first: with another version of gunicorn or gevent, importing the overrides may fail

import gc
import os
import resource
import sys
from typing import Any

import psycopg

import webapp.metrics.measured  # noqa: F401  # the master must know which numbers are gauges
from webapp.config import ConfigError, load
from webapp.metrics import shared
from webapp.server.peers import Limits
from webapp.server.requests import trusted_proxies
from webapp.server.shares import Share

assert psycopg.waiting.wait.__name__ != "wait_c", "psycopg was imported before gevent's patch: queries would block"

# gunicorn takes every name that it knows as a setting; our own names start with _.
try:
    _config = load()
except ConfigError as error:
    sys.exit(f"spendai: {error}")
bind = _config.listens_at
workers = _config.workers
worker_class = "webapp.server.worker.Worker"
backlog = 2048
keepalive = 75  # seconds; longer than clients and load balancers keep idle connections, so they close first
timeout = 60  # seconds a worker may block its event loop; a call has no time limit here
graceful_timeout = _config.drain_seconds + 10  # seconds; an answer whose client left is read up to drain_seconds
forwarded_allow_ips = trusted_proxies(_config.forwarded_allow_ips)
limit_request_line = 8190
logger_class = "webapp.server.log.Logger"
loglevel = "warning"  # the application logs every call itself, without keys and query strings
control_socket_disable = True
if os.access("/dev/shm", os.W_OK):  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108  # heartbeats must not wait for a busy disk

# Every call under way takes two sockets (client, upstream); the usual soft limit of open files is 1024.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_wanted = 65536 if _hard == resource.RLIM_INFINITY else min(_hard, 65536)
if _soft != resource.RLIM_INFINITY and _soft < _wanted:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_wanted, _hard))
    _soft = _wanted
# Client connections of one worker, at most; more wait in the backlog. webapp/server/worker.py limits the idle ones.
worker_connections = _config.max_connections
if _soft != resource.RLIM_INFINITY:
    worker_connections = min(worker_connections, max(500, _soft // 2 - 200))
_limits = Limits(
    head_seconds=_config.head_seconds, seconds=_config.client_seconds, rate=_config.client_bytes_per_second,
    per_address=_config.max_connections_per_address, trusted=_config.forwarded_allow_ips,
)  # fmt: skip


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker its place in the counts of connections (shares.py), the limits of its clients (peers.py), and the
    row in which it counts for /metrics (metrics/shared.py).
    """
    worker.share, worker.limits, worker.row = Share(), _limits, shared.take()


def post_fork(server: Any, worker: Any) -> None:
    """Count in the worker's own row from now on."""
    shared.use(worker.row)


def child_exit(server: Any, worker: Any) -> None:
    """A worker's process has ended: free its place in the counts of connections, and its row."""
    worker.share.free()
    shared.free(worker.row)


def post_worker_init(worker: Any) -> None:
    """Open the database pools and the ledger: after the fork, since connections cannot be shared."""
    from webapp import db  # noqa: PLC0415
    from webapp.metrics import sampling  # noqa: PLC0415
    from webapp.replica import reading  # noqa: PLC0415

    db.open_pools(_config)
    reading.watch(_config)
    worker.wsgi.gateway.start(worker_connections)
    worker.wind_down = worker.wsgi.sessions.wind_down
    sampling.watch(worker.wsgi)
    # Everything loaded so far stays until the worker ends: freeze() exempts it from garbage collection. Calls leave few
    # reference cycles behind, so that rare collections suffice.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def worker_exit(server: Any, worker: Any) -> None:
    """Close what post_worker_init opened."""
    from webapp import db  # noqa: PLC0415
    from webapp.replica import reading  # noqa: PLC0415

    if getattr(worker, "wsgi", None):  # not there in a worker that could not load the application
        worker.wsgi.gateway.stop()
    reading.stop()
    db.close_pools()
