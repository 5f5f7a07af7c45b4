"""Makes a database that looks like a Supabase project's before SpendAI comes; see gotrue_schema.sql."""

from __future__ import annotations

from pathlib import Path

import psycopg

from webapp.postgres.cluster import SUPERUSER, Cluster

PASSWORD = "temporary"
SCHEMA = Path(__file__).with_name("gotrue_schema.sql")


def supabase_database(cluster: Cluster, name: str) -> tuple[str, str]:
    """Connection strings of the new database's owner, role postgres, and of the superuser that nobody gets there."""
    with psycopg.connect(cluster.dsn(SUPERUSER, PASSWORD), autocommit=True) as conn:
        conn.execute(f"create database {name} owner postgres template template0")
    admin = cluster.dsn(SUPERUSER, PASSWORD, name)
    with psycopg.connect(admin) as conn:
        conn.execute(SCHEMA.read_text())
    return cluster.dsn("postgres", PASSWORD, name), admin
