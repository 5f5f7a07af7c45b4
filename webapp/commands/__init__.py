"""`flask …` for operators: one file for each command or group of commands.

database.py opens the database for all of them and reports its errors.
May import every room but gateway, api and pages; only `webapp.create_app` imports this one.
"""

from __future__ import annotations

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
    users,
)

COMMANDS = (
    migrate.migrate, users.users, analyst.analyst, prices.prices, calls.calls, backup.backup, backup.restore,
    retention.retention, archive.archive, doctor.doctor, books.books, export.export, organizations.organizations,
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Make the commands part of ``flask``."""
    books_close.add_to(books.books)
    for command in COMMANDS:
        app.cli.add_command(command)
