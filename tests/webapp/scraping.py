"""What /metrics of a running product tells."""

from __future__ import annotations

from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from stack import Stack

DONE = ("spendai_calls_total", {"outcome": "complete", "status": "2xx"})


def scraped(stack: Stack) -> str:
    answer = requests.get(f"{stack.url}/metrics", timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return answer.text


def samples(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def counted(stack: Stack, *names: Any) -> list[float]:
    """Values of samples; each is named by its name, or by its name and its labels."""
    wanted = [name if isinstance(name, tuple) else (name, {}) for name in names]
    found = {(s.name, *sorted(s.labels.items())): s.value for s in samples(scraped(stack))}
    return [found[name, *sorted(labels.items())] for name, labels in wanted]
