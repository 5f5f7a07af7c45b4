"""The embedded Postgres (found, started, stopped, kept closed to the network) and what is loaded into any Postgres.

`embedded.ensure` starts the server, `owner.open_database` gives the owner's connection string of whichever database is
used, `migrations.migrate` brings it up to this checkout. `turns.Turns` shares the connections of a pool
out. Imports config only.
"""
