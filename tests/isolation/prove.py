"""Compares what everyone could do with the written matrix."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import NamedTuple

from isolation import attempts
from isolation.attempts import REFUSED, Attempt
from isolation.matrix import NOTHING, REST, VIEWS, Matrix
from isolation.world import Actor, World


class Proof(NamedTuple):
    """surprises: a line each; seen: (relation, actor) → whose rows; can: (verb, actor) → how many."""

    checks: int
    surprises: list[str]
    seen: dict[tuple[str, str], str]
    can: Counter[tuple[str, str]]


def prove(world: World, matrix: Matrix, only: str = "") -> Proof:
    """Let everyone try everything, or what one name has; what differs from the matrix either way is a surprise."""
    todo = [a for a in attempts.everything(world.owner) if not only or a.name == only]
    proof = Proof(0, _thin(world, todo) + ([] if only else _stale(matrix, todo)), {}, Counter())
    checks = 0
    for actor in world.actors:
        for attempt, result in zip(todo, attempts.run(actor.conn, todo), strict=True):
            checks += 1
            if attempt.verb == "rows":
                proof.seen[attempt.name, actor.name] = _seen(world, actor, result)
            elif result.startswith("ok"):
                proof.can[attempt.kind if attempt.kind in ("function", "schema") else attempt.verb, actor.name] += 1
            if wrong := _judge(world, matrix, actor, attempt, result):
                proof.surprises.append(f"{actor.name} ({actor.role}): {wrong}")
    return proof._replace(checks=checks)


def _thin(world: World, todo: list[Attempt]) -> list[str]:
    """Relations in public that do not hold rows of both organizations would prove nothing."""
    tables = [a for a in todo if a.verb == "rows" and "." not in a.name and "'?'" not in a.statement]
    both = {str(world.acme), str(world.evil)}
    results = attempts.run(world.owner, tables)
    return [f"{a.name}: no rows of both organizations to prove anything with"
            for a, result in zip(tables, results, strict=True) if not both <= set(result.split())]  # fmt: skip


def _stale(matrix: Matrix, todo: list[Attempt]) -> list[str]:
    """Names in the matrix that nothing has."""
    written = {*matrix.reads, *chain(*matrix.runs.values()), *chain(*matrix.uses.values())} - {VIEWS, REST}
    columns = {f"{attempt.name}.{attempt.column}" for attempt in todo}
    written.update(f"{relation}.{column}" for relation, column in matrix.hidden)
    return [f"{name}: is in the matrix, but not in the database"
            for name in sorted(written - {attempt.name for attempt in todo} - columns)]  # fmt: skip


def _seen(world: World, actor: Actor, result: str) -> str:
    """A cell as in the matrix: whose rows a reader got."""
    if not result.startswith("ok"):
        return NOTHING
    rows = set(result.split()[1:])
    others = rows - {str(actor.org), "-", "?"}
    if others & {str(world.acme), str(world.evil)}:
        return "FOREIGN"
    own = ["own"] if rows & {str(actor.org)} else []
    return " and ".join(own + ["list"] * ("-" in rows) + ["all"] * ("?" in rows)) or "no rows"


def _judge(world: World, matrix: Matrix, actor: Actor, attempt: Attempt, result: str) -> str:
    """What is wrong with a result, or nothing."""
    if attempt.verb in ("run", "use"):
        listed = matrix.runs if attempt.verb == "run" else matrix.uses
        can, may = result.startswith("ok"), attempt.name in listed.get(actor.role, ())
        if can != may:
            return f"{'can' if can else 'cannot'} {attempt.verb} {attempt.kind} {attempt.name}"
        return ""
    if attempt.verb not in ("rows", "read") or attempt.kind == "S":
        return "" if result in REFUSED else f"{attempt.statement}: {result}"
    cell = matrix.cell(attempt.name, attempt.kind, actor.role)
    if attempt.verb == "rows":
        seen, expected = _seen(world, actor, result), _expected(actor, cell)
        return "" if seen == expected else f"reads {attempt.name}: {seen}, and not {expected}"
    may = cell != NOTHING and (attempt.name, attempt.column) not in matrix.hidden
    if result.startswith("ok") != may or (not may and result != "42501"):
        return f"{'cannot' if may else 'can'} read {attempt.name}.{attempt.column}: {result}"
    return ""


def _expected(actor: Actor, cell: str) -> str:
    """The cell for this person: developers do not see what only admins see, and who has no organization sees no own."""
    own = actor.org is not None and (cell != "own, admins" or actor.admin)
    return {
        NOTHING: NOTHING,
        "own": "own" if own else "no rows",
        "own, admins": "own" if own else "no rows",
        "own and list": "own and list" if own else "list",
        "own and install": "own and list" if own else "no rows",
        "all": "all",
    }[cell]
