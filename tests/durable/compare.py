"""The comparison: what the upstream got and what clients saw, against the rows of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from durable.clients import Clients
from durable.plan import Plan, plan

ROWS = "select end_user, state, cost_status, cost, tokens_in, tokens_out from public.usage_logs where started_at >= %s"
SESSIONS = """
    select count(distinct s.id) as sessions, count(*) as calls, count(*) filter (where s.id is null) as lost
    from public.usage_logs u left join public.websocket_sessions s on s.id = u.session_id and s.org_id = u.org_id
    where u.session_id is not null and u.started_at >= %s
"""
SUMS = "select * from app.totals_differences((now() - interval '2 days')::date)"
BAD = ("lost", "doubled", "wrong")
WORDS = ("priced", "error", "no usage", "in doubt", "never sent", *BAD)


def judge(what: Plan, sent: bool, ended: bool, rows: Sequence[dict[str, Any]]) -> str:
    """One call in one word: priced, error, no usage, in doubt; never sent; or what is wrong: lost, doubled, wrong."""
    if len(rows) > 1:
        return "doubled"
    if not rows:
        return "lost" if sent or ended else "never sent"
    row = rows[0]
    if row["state"] == "open":
        return "lost" if ended else "in doubt"
    exact = (row["tokens_in"], row["tokens_out"], row["cost"]) == (what.tokens_in, what.tokens_out, what.cost)
    right = {
        "priced": sent and exact and what.kind in ("good", "late"),
        "no_usage": not ended and row["cost"] is None,
        "error": not ended and row["cost"] == 0 and (not sent or what.kind in ("500", "429")),
    }.get(row["cost_status"], False)
    return row["cost_status"].replace("_", " ") if right else "wrong"


def compare(
    seed: int, made: Iterable[str], ended: Iterable[str], sent: Sequence[str], rows: Iterable[dict[str, Any]]
) -> tuple[Counter[str], list[str]]:
    """Verdicts over all calls of a round, and a line about each bad one. Rows carry their call's tag as end_user."""
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_tag.setdefault(row["end_user"], []).append(row)
    sent_once, ended_well, verdicts, bad = set(sent), set(ended), Counter(), []
    for tag in sent_once.union(made, by_tag):
        verdict = judge(plan(seed, tag), tag in sent_once, tag in ended_well, by_tag.get(tag, []))
        verdicts[verdict] += 1
        if verdict in BAD:
            bad.append(f"{verdict}: {tag} {plan(seed, tag)} sent={tag in sent_once} ended={tag in ended_well} "
                       f"rows={by_tag.get(tag)}")  # fmt: skip
    if len(sent) != len(sent_once):
        verdicts["doubled"] += len(sent) - len(sent_once)
        bad.append("the upstream got a call twice")
    return verdicts, bad


class Tally:
    """What all rounds so far came to; ``journal`` is the upstream's, ``ask`` runs a query on the ledger."""

    def __init__(self, seed: int, journal: Path, ask: Callable[..., list[dict[str, Any]]]) -> None:
        self.seed, self.journal, self.ask = seed, journal, ask
        self.verdicts: Counter[str] = Counter()
        self.bad: list[str] = []
        self.calls = self.read = self.sessions = self.in_sessions = 0

    def now(self) -> Any:
        """A moment for ``add``, by the database's clock."""
        return self.ask("select now() as at")[0]["at"]

    def add(self, clients: Clients, since: Any) -> None:
        """Judge every call of a round that began at ``since`` and is over."""
        sent = self._sent()
        self.calls += len(sent)
        verdicts, bad = compare(self.seed, clients.made, clients.ended, sent, self.ask(ROWS, since))
        self.verdicts += verdicts
        self.bad += bad
        (found,) = self.ask(SESSIONS, since)
        self.sessions += found["sessions"]
        self.in_sessions += found["calls"]
        if found["lost"]:
            self.verdicts["lost"] += found["lost"]
            self.bad.append(f"lost: {found['lost']} calls name a session that has no row")
        for day in self.ask(SUMS):
            self.verdicts["wrong"] += 1
            self.bad.append(f"wrong: the sums of a day are not those of its calls: {day}")

    def _sent(self) -> list[str]:
        """Tags the upstream wrote down since the last look."""
        with self.journal.open() as file:
            file.seek(self.read)
            tags = file.read().split()
            self.read = file.tell()
        return tags

    def words(self) -> str:
        return ", ".join(f"{self.verdicts[word]} {word}" for word in WORDS)
