"""/metrics: all metrics in Prometheus' text format, for whoever may read them.

That is a process on the gateway's own machine, or one that sends METRICS_TOKEN. A connection from loopback is not
enough: a reverse proxy on the same machine, or a page that a browser there was led to, comes from loopback too. Their
requests have a forwarding header, or name another host.
"""

from __future__ import annotations

import hmac
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Request, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from webapp.auth.client_address import read_address
from webapp.config import Config
from webapp.errors import ApiError
from webapp.metrics import measured, sampling
from webapp.metrics.installation import GAUGES, UP, Installation
from webapp.metrics.shared import Count, Level, Spread

FORWARDING = ("X-Forwarded-", "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-", "X-Original-")
WANTED = ("spendai_workers_wanted", "Worker processes that this gateway is set to have.")
FREE = ("spendai_home_free_bytes", "Bytes free on the disk of SPENDAI_HOME: the spool, and the embedded Postgres.")
FAMILIES = {Count: CounterMetricFamily, Level: GaugeMetricFamily, Spread: HistogramMetricFamily}


def init_app(app: Flask) -> None:
    """Register /metrics."""
    config, registry = app.config["SPENDAI"], CollectorRegistry(auto_describe=False)
    registry.register(Collector(config))

    @app.get("/metrics")
    def metrics() -> Response:
        check(config, request)
        if app.gateway.ledger:
            sampling.sample(app)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def check(config: Config, asked: Request) -> None:
    """Raise ApiError for a request that may not read the metrics."""
    if is_local(asked):
        return
    if not config.metrics_token:
        raise ApiError(403, "metrics_forbidden", "Metrics are read on the gateway's machine, or with METRICS_TOKEN")
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), config.metrics_token.encode()):
        raise ApiError(401, "invalid_metrics_token", "Send METRICS_TOKEN as a bearer token")


def is_local(asked: Request) -> bool:
    """Whether a request comes straight from a process of this machine that meant to ask this machine."""
    if any(name.startswith(FORWARDING) for name, _ in asked.headers):
        return False
    client, host = read_address(asked.remote_addr or ""), asked.host
    named = read_address(host)
    return bool(client and client.is_loopback and (host.split(":")[0] == "localhost" or (named and named.is_loopback)))


def free_bytes(home: Path) -> int:
    """Bytes that are free on the disk of a folder, which may not be made yet."""
    there = next(path for path in (home, *home.parents) if os.access(path, os.F_OK))
    return shutil.disk_usage(there).free


class Collector:
    """All metrics as Prometheus' client library takes them."""

    def __init__(self, config: Config) -> None:
        self._config, self._installation = config, Installation(config)

    def collect(self) -> Iterator[Metric]:
        """The metrics of all workers, then what they are compared with, and those of the database."""
        for name, text, labels, cells in measured.METRICS:
            first = next(iter(cells.values()))
            if first is measured.REPLICA and not self._config.database_url_read:
                continue  # 0 would look like a replica that is away
            kind = type(first)
            family = FAMILIES[kind](name, text, labels=labels)
            for values, cell in cells.items():
                found = cell.value()
                family.add_metric(values, *found) if kind is Spread else family.add_metric(values, found)
            yield family
        yield GaugeMetricFamily(*WANTED, value=self._config.workers)
        yield GaugeMetricFamily(*FREE, value=free_bytes(self._config.home))
        rows = self._installation.rows()
        yield GaugeMetricFamily(*UP, value=int(bool(rows)))
        for found, (name, text) in GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=["month"] if found == "month_bytes" else [])
            for row in rows:
                if row["name"] == found:
                    family.add_metric([row["month"]] if row["month"] else [], row["value"])
            yield family
