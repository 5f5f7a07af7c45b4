"""Two organizations for looking at pages: one with many rows and long, strange names, and an empty one.

Written into the tables as their owner; triggers keep the sums of days. The same random numbers every time.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
from webapp.auth.passwords import hashed  # noqa: E402
from webapp.config import load  # noqa: E402
from webapp.postgres import embedded  # noqa: E402

DAYS, PROJECTS, KEYS, MEMBERS, MODELS, LABELS, CALLS, LINES = 100, 200, 400, 60, 300, 400, 20_000, 2_000
SESSIONS = 120
BATCH = 2_000
# Names as people, pipelines and mischief make them; each at most 200 characters.
STRANGE = (
    "W" * 200,
    ("A name of many words, all of them needed by somebody, " * 4)[:200].strip(),
    "<b>bold</b> <img src=x onerror=alert(1)> &amp; <script>alert(1)</script>",
    "פרויקט התשלומים והחיובים של הארגון",
    "مشروع الدفع والفواتير للمنظمة",
    "rocket 🚀 family 👩‍👩‍👧‍👦 flag 🏳️‍🌈",
    "turned \u202eround until the end",
    "slash/and?query=1&more=%25#fragment+plus",
    "quotes \"'`« and {{ 7 * 7 }} {% raw %}",
    "i",
)
ACTIONS = {
    "project.renamed": {"from": STRANGE[0], "to": STRANGE[1]}, "project.archived": {"name": STRANGE[3]},
    "key.created": {"name": STRANGE[2], "prefix": "sk-spend-0123"}, "member.joined": {"role": "developer"},
    "key.revoked": {"name": STRANGE[6], "prefix": "sk-spend-4567"}, "price.added": {"model": STRANGE[0]},
    "calls.repriced": {"reason": STRANGE[1]}, "organization.renamed": {"name": STRANGE[0]}, "something.unknown": {},
    "member.role_changed": {"email": "b" * 60 + "@example.test", "from": "developer", "to": "admin"},
}  # fmt: skip
USUAL = ("gpt-5", "gpt-5-mini", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "o4-mini", "text-embedding-3-small")
TOKENS = ("tokens_in", "tokens_cached", "tokens_out", "tokens_reasoning")
NOTHING = dict.fromkeys((*TOKENS, "cost"))
OPEN = NOTHING | dict.fromkeys(("settled_at", "status_code", "latency_ms", "model", "service_tier", "cost_status"))
# How a call may end otherwise: how often, and what is different about it then.
ENDS = (
    (0.02, {"cost": 0, "cost_status": "error", "status_code": 429, "model": None}),
    (0.01, {"cost": 0, "cost_status": "error", "status_code": 499}),
    (0.02, {"cost": None, "cost_status": "unpriced_model"}),
    (0.01, {"cost": None, "cost_status": "unpriced_dimension"}),
    (0.01, NOTHING | {"cost_status": "no_usage"}), (0.005, NOTHING | {"cost_status": "pending_object"}),
    (0.005, OPEN | {"state": "open"}), (0.01, {"cost_status": "tier_fallback", "service_tier": "flex"}),
)  # fmt: skip


class Organization:
    """An organization with an admin and a developer whose passwords are known."""

    def __init__(self, conn: psycopg.Connection, name: str, login: str, password: str, **columns: Any) -> None:
        self.conn, self.now, self.chance = conn, datetime.now(UTC), Random(7)
        self.began, self.hash = self.now - timedelta(days=DAYS), hashed(password)
        row = {"name": name, "created_at": self.began} | columns
        self.org_id = self.insert("organizations", [row], returning=True)
        self.people = [
            self.member(f"{login}@spendai.test", "admin"), self.member(f"{login}-developer@spendai.test", "developer"),
        ]  # fmt: skip

    def insert(self, table: str, rows: list[dict[str, Any]], returning: bool = False) -> UUID | None:
        """Rows with the same columns; the id of the only one where it is wanted."""
        names = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
        holes = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
        query = sql.SQL("insert into {} ({}) values ({}) {}").format(
            sql.Identifier("public", table), names, holes, sql.SQL("returning id" if returning else "")
        )
        if returning:
            return self.conn.execute(query, list(rows[0].values())).fetchone()[0]
        with self.conn.cursor() as cursor:
            cursor.executemany(query, [list(row.values()) for row in rows])
        return None

    def member(self, email: str, role: str) -> UUID:
        (user_id,) = self.conn.execute("select local_auth.create_user(%s, %s)", [email, self.hash]).fetchone()
        row = {"user_id": user_id, "org_id": self.org_id, "role": role, "email": email, "joined_at": self.began}
        self.insert("members", [row])
        return user_id


class Huge(Organization):
    """Everything as many, as long and as strange as the product lets it be."""

    def fill(self, calls: int = CALLS) -> None:
        for number in range(MEMBERS - len(self.people)):
            name = (f"m{number}-" + "x" * (60 if number % 7 == 0 else number % 9))[:64]
            domain = ".".join(["d" * 60] * 3) if number % 14 == 0 else "example"
            self.people.append(self.member(f"{name}@{domain}.test", "developer" if number % 3 else "admin"))
        self.insert("invitations", [self._invitation(number) for number in range(40)])
        self.projects = [self._uuid() for _ in range(PROJECTS)]
        self.insert("projects", [self._project(number) for number in range(PROJECTS)])
        self.keys = [self._uuid() for _ in range(KEYS)]
        self.insert("api_keys", [self._key(number) for number in range(KEYS)])
        self.insert("provider_key_versions", [self._openai_key(number) for number in range(len(STRANGE))])
        self.insert("model_prices", [self._price(number) for number in range(40)])
        self._calls(calls)
        self._corrections()
        self.insert("websocket_sessions", [self._session(number) for number in range(SESSIONS)])
        self.insert("audit_log", [self._line(number) for number in range(LINES)])
        self.conn.execute("select app.books_store(%s, %s)", [self.org_id, Jsonb(self._books())])

    def _books(self) -> dict[str, Any]:
        """OpenAI's books of the last five days: keys, projects and lines with every strange name."""
        days = [f"{datetime.now(UTC).date() - timedelta(days=back)}" for back in range(1, 6)]
        keys = [{"id": f"key_{n}", "openai_project_id": f"proj_{n}", "name": name, "ending": "x7Qa", "owner": name,
                 "owner_kind": "user"} for n, name in enumerate(STRANGE)]  # fmt: skip
        costs = [
            {"day": day, "openai_key_id": f"key_{n}", "openai_project_id": f"proj_{n}", "quantity_unit": "tokens",
             "line_item": f"{name}, input", "quantity": str(10**n * 7 + 1), "amount": f"{10**n}.{n}{10**11 + n}"}
            for day in days for n, name in enumerate(STRANGE)
        ]  # fmt: skip
        return {
            "source": "api", "from_day": days[-1], "until_day": f"{datetime.now(UTC).date()}", "keys": keys,
            "costs": costs, "days": [{"day": day, "whole": True} for day in days],
            "projects": [{"id": f"proj_{n}", "name": name, "status": "active"} for n, name in enumerate(STRANGE)],
        }  # fmt: skip

    def _uuid(self, at: datetime | None = None) -> UUID:
        """An id; that of a call begins with its millisecond."""
        moment = int((at or self.began).timestamp() * 1000)
        return UUID(int=moment << 80 | 0x7 << 76 | self.chance.getrandbits(74))

    def _hash(self, *words: object) -> bytes:
        return hashlib.sha256(repr((self.org_id, *words)).encode()).digest()

    @staticmethod
    def name(number: int, word: str) -> str:
        """The first ones are strange, the rest usual."""
        return STRANGE[number] if number < len(STRANGE) else f"{word}-{number:03}"

    def _often(self, count: int) -> int:
        """One of count, the first ones more often."""
        return int(count * self.chance.random() ** 2.5)

    def _invitation(self, number: int) -> dict[str, Any]:
        email = f"guest{number}{'-' * (number % 2)}{'y' * (number % 50)}@{'d' * (number + 1)}.test"
        return {"org_id": self.org_id, "email": email, "role": "developer", "created_by": self.people[0],
                "token_hash": self._hash("invitation", number)}  # fmt: skip

    def _project(self, number: int) -> dict[str, Any]:
        return {"id": self.projects[number], "org_id": self.org_id, "name": self.name(number, "project"),
                "created_at": self.began, "created_by": self.people[number % 9],
                "archived_at": self.now if number % 10 == 9 else None}  # fmt: skip

    def _key(self, number: int) -> dict[str, Any]:
        old = number % 17 == 5
        return {"id": self.keys[number], "org_id": self.org_id, "project_id": self.projects[number % PROJECTS],
                "name": self.name(number, "key"), "prefix": f"sk-spend-{number:04x}", "key_hash": self._hash(number),
                "created_at": self.now - timedelta(hours=number), "created_by": self.people[number % len(self.people)],
                "expires_at": self.now + timedelta(days=7 * (number % 5 - 1)) if number % 11 == 4 else None,
                "revoked_at": self.now if number % 13 == 3 else None,
                "rotated_from": self.keys[number - 1] if old else None}  # fmt: skip

    def _openai_key(self, number: int) -> dict[str, Any]:
        return {"org_id": self.org_id, "project_id": self.projects[number], "last4": f"no{number:02}",
                "base_url": f"https://{'gateway.' * number}example.test/v1", "since": self.began}  # fmt: skip

    def _price(self, number: int) -> dict[str, Any]:
        model = (STRANGE[0].lower(), USUAL[number % 7], f"gpt-made-up-{number}")[min(number // 8, 2)]
        return {"org_id": self.org_id, "model": model, "dimension": ("input_text", "output_text")[number % 2],
                "unit_price": Decimal(10) ** (number % 12 - 7), "unit_qty": 1_000_000, "revision": number + 1,
                "valid_from": self.began + timedelta(days=number), "created_by": self.people[0],
                "source": "own price", "note": self.name(number, "note")}  # fmt: skip

    def _line(self, number: int) -> dict[str, Any]:
        action, details = list(ACTIONS.items())[number % len(ACTIONS)]
        email = (None, "huge@spendai.test", "a" * 64 + "@example.test")[number % 3]
        return {"org_id": self.org_id, "at": self.now - timedelta(minutes=number), "actor_email": email,
                "actor_id": self.people[0] if email else None, "action": action, "details": Jsonb(details)}  # fmt: skip

    def _session(self, number: int) -> dict[str, Any]:
        at, ended = self.now - timedelta(minutes=number), number % 5 != 4
        return {"id": self._uuid(at), "org_id": self.org_id, "project_id": self.projects[number % PROJECTS],
                "api_key_id": self.keys[number % KEYS], "upstream": "openai", "endpoint": "/v1/live/sessions",
                "started_at": at, "deadline_at": at + timedelta(hours=number % 2), "upstream_session_id": "s" * 200,
                "model_requested": STRANGE[number % len(STRANGE)], "model": STRANGE[0],
                "ended_at": self.now if ended else None, "close_code": 1000 + number % 15 if ended else None,
                "closed_by": ("client", "openai", "spendai")[number % 3] if ended else None}  # fmt: skip

    def _models(self) -> list[str]:
        tuned = f"ft:gpt-4o-mini-2024-07-18:{'organization-' * 12}:Ab3dEf9h"
        return [*USUAL, STRANGE[0], tuned, *STRANGE[2:9], *(f"gpt-made-up-{n}" for n in range(MODELS - 16))]

    def _calls(self, count: int) -> None:
        for day in range(DAYS + 1):
            self.conn.execute("select app.ensure_partition(%s)", [(self.began + timedelta(days=day)).date()])
        rows = list(self._made_up(count))
        copy = sql.SQL("copy public.usage_logs ({}) from stdin").format(
            sql.SQL(", ").join(map(sql.Identifier, rows[0]))
        )
        for start in range(0, len(rows), BATCH):
            with self.conn.cursor() as cursor, cursor.copy(copy) as out:
                for row in rows[start : start + BATCH]:
                    out.write_row(list(row.values()))

    def _made_up(self, count: int) -> Iterator[dict[str, Any]]:
        chance, models, (lines,) = self.chance, self._models(), self.conn.execute(MANY_LINES).fetchone()
        for number in range(count):
            newest = number == count - 1  # one call is strange in every way and the first in the list
            at = self.now - timedelta(minutes=1) if newest else self.began + timedelta(days=DAYS) * chance.random()
            key = 0 if newest else self._often(KEYS)
            model = STRANGE[0] if newest else models[self._often(len(models))]
            size = chance.uniform(4, 6.5) if number % 1000 == 0 else chance.uniform(-8.7, 1)
            tokens = [int(10 ** chance.uniform(0, 11 if number % 500 == 0 else 6)) for _ in "io"]
            row = {
                "id": self._uuid(at), "org_id": self.org_id, "project_id": self.projects[key % PROJECTS],
                "api_key_id": self.keys[key], "started_at": at, "deadline_at": at + timedelta(hours=1),
                "settled_at": at, "state": "settled", "upstream": "openai", "endpoint": "/v1/chat/completions",
                "method": "POST", "stream": False, "batch": False, "status_code": 200, "latency_ms": tokens[0] % 90_000,
                "model_requested": model, "model": model, "service_tier": "default", "cost_lines": None,
                "cost": round(Decimal(10**size), 12), "cost_status": "priced", "tokens_in": tokens[0],
                "tokens_cached": tokens[0] // 3, "tokens_out": tokens[1], "tokens_reasoning": tokens[1] // 2,
                "tags": Jsonb({"team": f"team-{self._often(LABELS)}"}), "end_user": f"user-{self._often(LABELS)}",
            }  # fmt: skip
            if newest:
                tags = {f"{n}-{'t' * (n * 4)}": STRANGE[n % len(STRANGE)][:64] for n in range(16)}
                row |= {"cost_lines": lines, "tags": Jsonb(tags), "end_user": "u" * 256}
            elif number % 10 == 0:
                end_user = STRANGE[number // 10 % len(STRANGE)]
                row |= {"tags": Jsonb({end_user[:64]: "v" * 64, "team": end_user[:64]}), "end_user": end_user}
            dice = chance.random()
            for share, ending in ENDS:
                if not newest and 0 <= dice < share:
                    row |= ending
                dice -= share
            yield row

    def _corrections(self) -> None:
        calls = self.conn.execute(
            "select id, started_at from public.usage_logs where org_id = %s and cost is not null"
            " order by started_at desc limit 60",
            [self.org_id],
        ).fetchall()
        calls = [calls[0]] * 12 + calls
        rows = [
            {"org_id": self.org_id, "call_id": call_id, "call_started_at": at, "created_by": self.people[0],
             "delta": Decimal(-10) ** n / 10**12 if n < 12 else 1, "reason": self.name(n, "why")}
            for n, (call_id, at) in enumerate(calls)
        ]  # fmt: skip
        self.insert("cost_adjustments", rows)


MANY_LINES = """
select jsonb_agg(jsonb_build_object(
    'dimension', d, 'quantity', 10::numeric ^ (n % 10), 'unit_price', 10::numeric ^ (3 - n % 12), 'unit_qty', 1000000,
    'cost', round(10::numeric ^ (n % 10 - 3 - n % 12), 12), 'tier', 'standard',
    'price_id', (select min(id) from public.model_prices p where p.dimension = d),
    'context_min_tokens', case when n % 5 = 0 then 200000 end, 'priced_as', case when n % 4 = 0 then 'input_text' end,
    'qualifier', case when n % 6 = 0 then '1024x1536+high' end))::text
from app.price_dimensions() with ordinality as x (d, kind, fallback, n)
"""


def load_into(environ: dict[str, str], password: str) -> None:
    """Both organizations into the database of a SpendAI that runs with these settings."""
    config = load(environ)
    server = embedded.ensure(config) if config.embedded else None
    try:
        with psycopg.connect(server.owner_dsn if server else config.database_url) as conn:
            Organization(conn, "New", "empty", password)
            Huge(conn, STRANGE[0], "huge", password, books="openai").fill()
        with psycopg.connect(server.owner_dsn if server else config.database_url, autocommit=True) as conn:
            conn.execute("analyze public.usage_logs")
    finally:
        if server:
            server.stop()
