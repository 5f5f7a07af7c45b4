"""One gateway of several: gunicorn alone, with a home of its own, on a database that is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from durable.product import Product


class Gateway(Product):
    """A Product without a Postgres of its own; ``ask`` runs a query on whatever server is the primary."""

    command = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")

    def __init__(self, home: Path, upstream: str, ask: Callable[..., list[dict[str, Any]]], **settings: str) -> None:
        home.mkdir()
        # The same address for all, as it stands in front of a load balancer: tokens are made out to it.
        super().__init__(home, upstream, PUBLIC_URL="http://spendai.test", **settings)
        self.rows = ask

    def masters(self) -> list[int]:
        return [self.process.pid] if self.process.poll() is None else []
