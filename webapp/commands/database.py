"""How commands open the database as its owner, and how they tell the operator about errors: in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

import click
import gevent
import psycopg
from flask import current_app

from webapp import db
from webapp.postgres.migrations import MigrationError
from webapp.postgres.owner import OwnerDatabase, open_database
from webapp.postgres.programs import ClusterError

ORGANIZATIONS = """
select o.id, o.name from public.organizations o
where (%(org)s::text is null or %(org)s in (o.id::text, o.name)) and {} order by o.name, o.id
"""


@contextmanager
def owner_database() -> Iterator[OwnerDatabase]:
    """The database of the settings, its embedded server running; see webapp/postgres/owner.py.

    Errors of the database inside the block end the command with the message of Postgres.
    """
    with ExitStack() as stack:
        try:
            database = stack.enter_context(open_database(current_app.config["SPENDAI"]))
        except (ClusterError, OSError) as error:
            raise _unreachable(str(error)) from None
        with errors_in_one_line():
            yield database


@contextmanager
def owner_connection(**options: Any) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the database's owner; one transaction, unless ``autocommit=True`` is among psycopg's options.

    Only a connection that cannot be made is reported as "the database cannot be reached".
    """
    with owner_database() as database:
        try:
            conn = psycopg.connect(database.dsn, prepare_threshold=None, **options)
        except psycopg.OperationalError as error:
            raise _unreachable(db.in_one_line(error)) from None
        with conn:
            yield conn


def organizations(conn: psycopg.Connection[Any], org: str | None, which: str) -> list[tuple[UUID, str]]:
    """Id and name of each organization that --org names, by name or id, or of all without it.

    which: an SQL condition that each must meet; ``o`` is the row of public.organizations, %(org)s what --org gives.
    """
    return conn.execute(ORGANIZATIONS.format(which), {"org": org}).fetchall()


def only_organization(conn: psycopg.Connection[Any], org: str | None, which: str, none: str) -> tuple[UUID, str]:
    """The one that ``organizations`` finds. none: what to say where there is none and --org names none."""
    found = organizations(conn, org, which)
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"no organization is called {org!r}" if org else none)
    listed = ", ".join(f"{org_id} ({name})" for org_id, name in found)
    raise click.UsageError(f"say with --org which organization: {listed}")


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn an error of the database or of a migration into click's: one line, and the command's exit status."""
    try:
        yield
    except MigrationError as error:
        raise click.ClickException(str(error)) from None
    except psycopg.DatabaseError as error:
        refused = click.ClickException(_text(error))
        refused.exit_code = 2 if error.sqlstate == "PT400" else 1  # as click: 2 is for what was typed
        raise refused from None


def plainly(run: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a command, so that it ends with one line and no traceback on Ctrl-C, and when writing fails."""

    @wraps(run)
    def running(*args: Any, **options: Any) -> Any:
        hub = gevent.get_hub()  # prints a traceback of every error that is not one of these
        hub.NOT_ERROR = (*type(hub).NOT_ERROR, KeyboardInterrupt)
        try:
            return run(*args, **options)
        except BrokenPipeError:  # whoever read the output has read enough: click ends the command silently
            raise
        except OSError as error:
            said = (error.filename, error.strerror)
            raise click.ClickException(": ".join(str(part) for part in said if part) or str(error)) from None

    return running


def _unreachable(why: str) -> click.ClickException:
    return click.ClickException(f"the database cannot be reached: {why}")


def _text(error: psycopg.DatabaseError) -> str:
    """Message, detail and hint. The detail of our own errors (SQLSTATE PTnnn) is a code for programs: left out."""
    diag = error.diag
    if not diag.message_primary:
        return db.in_one_line(error)
    detail = None if (error.sqlstate or "").startswith("PT") else diag.message_detail
    return ". ".join(part for part in (diag.message_primary, detail, diag.message_hint) if part)
