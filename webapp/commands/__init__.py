"""`flask …` for operators: one file for each command or group of commands.

database.py opens the database for all of them and reports its errors.
May import every room but gateway, api and pages; only `webapp.create_app` imports this one.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from flask import Flask

from webapp.commands import (
    analyst,
    archive,
    backup,
    books,
    books_close,
    calls,
    doctor,
    export,
    migrate,
    organizations,
    prices,
    retention,
    totals,
    users,
)
from webapp.commands.database import plainly

COMMANDS = (
    migrate.migrate, users.users, analyst.analyst, prices.prices, calls.calls, backup.backup, backup.restore,
    retention.retention, archive.archive, doctor.doctor, books.books, export.export, organizations.organizations,
    totals.totals,
)  # fmt: skip


books_close.add_to(books.books)


def _runnable(command: click.Command) -> Iterator[click.Command]:
    """The command, or those of the group."""
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    yield from inner or (command,)


for _command in (one for command in COMMANDS for one in _runnable(command)):
    _command.callback = plainly(_command.callback)


def init_app(app: Flask) -> None:
    """Make the commands part of ``flask``."""
    for command in COMMANDS:
        app.cli.add_command(command)
