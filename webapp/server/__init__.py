"""What we override in gunicorn: its gevent worker, reading requests, writing answers, accepting connections.

Used by gunicorn.conf.py; imports nothing else of webapp. Every override says in its docstring what it gains, measured
by `.venv/bin/python bench/server.py`; docs/measurements.md has the table. versions.py refuses other versions of
gunicorn.
"""
