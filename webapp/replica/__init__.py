"""The read replica of DATABASE_URL_READ: when it may answer (servers.py), and whom it answers (reading.py).

Imports webapp/postgres and the modules directly in webapp/. webapp/auth/transactions.py decides for each request
whether it may read the replica; gunicorn.conf.py starts the looks at it.
"""
