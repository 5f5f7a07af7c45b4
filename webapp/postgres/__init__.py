"""The embedded Postgres (found, started, stopped, kept closed to the network) and what is loaded into any Postgres.

`embedded.ensure` starts the server, `migrations.migrate` brings a database up to this checkout. Imports config only.
"""
