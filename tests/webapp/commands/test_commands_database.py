"""Errors of the database in commands: one line; only a database that cannot be opened "cannot be reached"."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator

import click
import gevent
import psycopg
import pytest
from click.testing import CliRunner
from commands import Operator, operator  # noqa: F401  # a fixture
from psycopg import sql

from webapp.commands import COMMANDS as GROUPS
from webapp.commands import _runnable
from webapp.commands.database import plainly

CALL = "0199aaaa-0000-7000-8000-000000000000"
# SQLSTATE → what Postgres would say. psycopg makes an OperationalError of each, as of a connection that fails.
STATES = {
    "57014": "canceling statement due to user request",
    "55P03": "canceling statement due to lock timeout",
    "53100": "could not extend file: No space left on device",
    "40P01": "deadlock detected",
}
COMMANDS = {
    "users reset ada@acme.test": "password_reset_create",
    "analyst add --org Acme --name Ann": "analyst_create",
    "analyst remove an_1": "analyst_remove",
    f"calls settle {CALL} --no-usage --reason why": "call_end",
    "prices sync": "price_sync",
    "prices reprice --from 2026-01-01 --to 2026-02-01 --reason why": "reprice",
    "retention --months 1": "retention_due",
    "migrate": "ensure_partition",
}
HEAD = """
select format('create or replace function app.%%I(%%s) returns %%s', proname, pg_get_function_arguments(oid),
    pg_get_function_result(oid)) as head
from pg_proc where pronamespace = 'app'::regnamespace and proname = %s
"""


def break_function(conn: psycopg.Connection, name: str, state: str, **options: str) -> None:
    """Let app.<name> raise this SQLSTATE; options: message, detail, hint."""
    using = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.SQL(k), sql.Literal(v)) for k, v in options.items())
    body = sql.SQL("begin raise sqlstate {} using {}; end").format(sql.Literal(state), using).as_string(conn)
    (head,) = conn.execute(HEAD, [name]).fetchone().values()
    conn.execute(sql.SQL("{} language plpgsql as {}").format(sql.SQL(head), sql.Literal(body)))


@pytest.fixture
def broken(operator: Operator, request: pytest.FixtureRequest) -> Iterator[Operator]:  # noqa: F811
    command, state = request.param
    operator.conn.execute(  # gives migrate a month to make
        "do $$ begin execute"
        " to_char(now() + interval '24 months', '\"drop table if exists private.usage_logs_\"YYYY_MM'); end $$"
    )
    break_function(operator.conn, COMMANDS[command], state, message=STATES[state], hint="ask the operator")
    yield operator


@pytest.mark.parametrize(
    ("broken", "command", "state"),
    [
        pytest.param((command, state), command, state, id=f"{command.split(' --')[0]} {state}")
        for number, command in enumerate(COMMANDS)
        for state in [list(STATES)[number % len(STATES)]]
    ],
    indirect=["broken"],
)
def test_an_error_of_a_statement_is_said_as_it_is(broken: Operator, command: str, state: str) -> None:
    done = broken.run(*command.split())
    assert done.exit_code == 1 and "cannot be reached" not in done.output, done.output
    assert f"Error: {STATES[state]}. ask the operator\n" in done.stderr


def test_a_detail_says_what_postgres_knows_and_a_code_of_ours_is_not_shown(operator: Operator) -> None:  # noqa: F811
    command = ("users", "reset", "ada@acme.test")
    break_function(operator.conn, "password_reset_create", "40P01", message="deadlock", detail="Process 1 waits")
    assert operator.run(*command).stderr == "Error: deadlock. Process 1 waits\n"
    break_function(operator.conn, "password_reset_create", "PT409", message="twice", detail="reset_twice", hint="wait")
    assert operator.run(*command).stderr == "Error: twice. wait\n"


def test_wrong_input_ends_with_status_2_in_every_command(operator: Operator) -> None:  # noqa: F811
    done = operator.run("calls", "settle", CALL, "--cost", "1", "--reason", " ")
    assert (done.exit_code, done.stderr) == (2, "Error: say why, in at most 1000 characters\n")


def test_a_file_or_output_that_cannot_be_written_is_one_line(operator: Operator, monkeypatch) -> None:  # noqa: F811
    place = operator.folder / "missing" / "october.csv"
    people = operator.people()
    org = str(people.orgs["ada"])
    done = operator.run("export", "focus", "--month", "2026-10", "--org", org, "-o", str(place))
    assert (done.exit_code, done.output) == (1, f"Error: {place}: No such file or directory\n")

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("webapp.commands.calls.click.echo", full)
    people.open_calls(people.open_message("ada", max_seconds=-1, **people.now_id()))
    done = operator.run("calls", "in-doubt")
    assert (done.exit_code, done.stderr) == (1, "Error: No space left on device\n")


def test_an_organization_is_named_by_its_name_or_id_which_the_command_tells(operator: Operator) -> None:  # noqa: F811
    people = operator.people()
    costs = operator.folder / "costs.csv"
    costs.write_text("start_time,amount_value,amount_currency\n1788220800,0.25,usd\n")
    done = operator.run("books", "import", str(costs))
    which = [f"{people.orgs[who]} ({name})" for who, name in (("ada", "Acme"), ("eve", "Evil"))]
    said = f"Error: say with --org which organization: {', '.join(which)}"
    assert (done.exit_code, done.output.splitlines()[-1]) == (2, said)
    for org in ("Acme", str(people.orgs["ada"])):
        assert operator.run("books", "import", str(costs), "--org", org).output.startswith("Acme: 1 day from 2026-09-")
    for command in (("import", str(costs)), ("close", "2026-09")):
        none = operator.run("books", *command, "--org", "Acne")
        assert (none.exit_code, none.output) == (1, "Error: no organization is called 'Acne'\n")


def test_ctrl_c_ends_a_command_without_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """As when the signal arrives while a command waits: the hub of gevent gets it, and prints what it does not know."""

    @click.command()
    @plainly
    def waits() -> None:
        gevent.spawn(signal.raise_signal, signal.SIGINT)
        gevent.sleep(60)

    # As at a terminal: a shell lets what it starts in the background ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done = CliRunner().invoke(waits)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.exit_code, done.output.strip()) == (1, "Aborted!")
    assert capfd.readouterr().err == ""


def test_every_command_ends_plainly() -> None:
    commands = [command for group in GROUPS for command in _runnable(group)]
    assert len(commands) > 15 and all(command.callback.__code__ is plainly(print).__code__ for command in commands)
