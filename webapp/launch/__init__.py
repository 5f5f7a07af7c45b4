"""The programs behind `make run`, `make demo` and `make psql`; what `make run` starts is started again when it ends.

May import config, db, postgres, secrets and auth; nothing imports this room.
"""
