"""What `make run`, `make demo` and `make psql` start: the parts of SpendAI, watched and started again when they end.

Imports config, db, postgres, secrets and auth.
"""
