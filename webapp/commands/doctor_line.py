"""What the checks of `flask doctor` have in common: a check looks at one thing, and gives a line for each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg

from webapp.config import Config


class Line(NamedTuple):
    """One finding. status: ok, warn or fail; text: what was found, and for warn and fail what to do."""

    status: str
    text: str


Check = Callable[[Config, psycopg.Connection], Iterator[Line]]
