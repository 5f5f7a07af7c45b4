"""Nobody takes all connections of a pool: no person, and no organization beside others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from conftest import Site
from psycopg_pool import PoolTimeout

from webapp import db
from webapp.postgres.turns import Turns


@contextmanager
def holding(turns: Turns, *people: str) -> Iterator[None]:
    """Each of these people holds a connection, somebody who is named twice two."""
    with ExitStack() as held:
        for person in people:
            held.enter_context(turns.turn(person, 0))
        yield


def refused(turns: Turns, person: str) -> bool:
    try:
        with turns.turn(person, 0):
            return False
    except PoolTimeout:
        return True


def test_the_last_connection_is_for_somebody_else() -> None:
    turns = Turns(3)
    with holding(turns, "ada", "ada"):
        assert refused(turns, "ada") and not refused(turns, "dev")
    assert not refused(turns, "ada")


def test_people_of_one_organization_leave_a_connection_to_others_where_there_are_others() -> None:
    turns = Turns(3)
    turns.remember("ada", "Acme")
    turns.remember("dev", "Acme")
    with holding(turns, "ada", "ada"):
        assert not refused(turns, "dev")
    turns.remember("eve", "Evil")
    with holding(turns, "ada", "dev"):
        assert refused(turns, "ada") and refused(turns, "dev") and not refused(turns, "eve")


def test_a_waiting_person_goes_on_when_the_connection_is_given_back() -> None:
    turns = Turns(2)
    with ExitStack() as held:
        held.enter_context(turns.turn("ada", 0))
        assert refused(turns, "ada")
        held.close()
        with turns.turn("ada", 0):
            assert refused(turns, "ada")


def test_whoever_keeps_all_his_connections_is_told_to_try_again_and_others_are_answered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, eve = site.sign_up("ada"), site.sign_up("eve")
    monkeypatch.setattr(db, "TURN_SECONDS", 0.05)
    claims = {"sub": ada.user["id"], "role": "authenticated"}
    with db.scope("authenticated", claims), db.scope("authenticated", claims):
        busy = ada.get("/projects")
        assert (busy.status_code, busy.json["error"]["code"]) == (503, "database_unavailable")
        assert eve.get("/projects").status_code == 200
    assert ada.get("/projects").status_code == 200
