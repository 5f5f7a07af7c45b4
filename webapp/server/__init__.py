"""What we override in gunicorn: its gevent worker, reading requests, writing answers, accepting connections.

gunicorn.conf.py names it as the worker; gateway and websocket import what marks the last bytes of an answer and what
takes a connection over. Imports nothing else of webapp. Every override says in its docstring what it gains, measured by
`.venv/bin/python bench/server.py`; docs/measurements.md has the table. versions.py refuses other versions of gunicorn.
"""
