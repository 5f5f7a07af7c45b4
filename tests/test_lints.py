"""What Supabase's database linter would say of us: its own verdict, and those of its rules test_house.py has not."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from stack import free_port
from supabase_shape import PASSWORD, supabase_database

from webapp.postgres.cluster import SUPERUSER, temporary
from webapp.postgres.migrations import migrate

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".venv/supabase/node_modules/.bin/supabase"
OURS = "('public', 'app', 'private', 'local_auth')"
# Each query finds what breaks a rule; the statement breaks it, so that a rule which can never fail is noticed.
RULES = {
    "no view shows people's accounts": (
        """select c.oid::regclass from pg_class c join pg_rewrite r on r.ev_class = c.oid join pg_depend d
            on d.objid = r.oid and d.refobjid = 'auth.users'::regclass
        where c.relkind in ('v', 'm') and c.relnamespace = 'public'::regnamespace""",
        "create view public.v with (security_invoker = true) as select id from auth.users",
    ),
    "no extension lives in public": (
        "select extname from pg_extension where extnamespace = 'public'::regnamespace",
        "update pg_extension set extnamespace = 'public'::regnamespace",
    ),
    "no column has a type that an upgrade of Postgres cannot carry over": (
        f"""select attrelid::regclass, attname from pg_attribute join pg_class c on c.oid = attrelid
        where relkind in ('r', 'p') and relnamespace::regnamespace::text in {OURS}
            and atttypid::regtype::text in ('regproc', 'regprocedure', 'regoper', 'regoperator', 'regconfig',
                'regdictionary', 'regnamespace', 'regcollation')""",
        "alter table public.projects add column f regproc",
    ),
    "what points at an account points at its primary key": (
        """select conname from pg_constraint c join pg_index i on i.indexrelid = c.conindid
        where contype = 'f' and confrelid::regclass::text like 'auth.%' and not i.indisprimary""",
        "alter table public.members add foreign key (email) references auth.users (phone)",
    ),
    "no policy lets everybody write": (
        """select polname, polrelid::regclass from pg_policy where polcmd <> 'r'
            and (pg_get_expr(polqual, polrelid) = 'true' or pg_get_expr(polwithcheck, polrelid) = 'true')""",
        "create policy p on public.projects for insert to authenticated with check (true)",
    ),
    "nothing that steps around row security can be run over the API": (
        "select oid::regprocedure from pg_proc where prosecdef and pronamespace = 'public'::regnamespace",
        "create function public.f() returns int language sql security definer set search_path = '' as 'select 1'",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_holds(db: psycopg.Connection, rule: str) -> None:
    assert db.execute(RULES[rule][0]).fetchall() == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_would_notice(db: psycopg.Connection, rule: str) -> None:
    db.execute("reset role")
    db.execute(RULES[rule][1])
    assert db.execute(RULES[rule][0]).fetchall() != []


def test_supabases_advisors_warn_of_nothing() -> None:
    """On a database shaped like a project's. They connect over TCP alone, so a server of its own listens for them."""
    if not PROGRAM.exists():
        explain = "Supabase's command line is not here: .ci/advisors installs it, which takes npm"
        if os.environ.get("CI") == "true":
            pytest.fail(explain)
        pytest.skip(explain)
    bindir = os.environ.get("PG_BINDIR")
    port = str(free_port())
    with temporary(Path(bindir) if bindir else None, listen_addresses="127.0.0.1", port=port) as cluster:
        with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD)) as conn:
            for file in ("supabase.sql", "local_auth.sql"):
                conn.execute((ROOT / "db" / file).read_text())
            conn.execute(f"alter role postgres password '{PASSWORD}'")
        owner, _ = supabase_database(cluster, "project")
        migrate(owner)
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/project"
        command = [PROGRAM, "db", "advisors", f"--remote={url}", "--level", "warn", "--output-format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert [f"{finding['name']}: {finding['detail']}" for finding in json.loads(done.stdout)["results"]] == []
