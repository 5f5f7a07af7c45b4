"""The ledger: opens and settles calls in Postgres, many callers in one commit, and spools what Postgres does not take.

`ledger.Ledger` is the way in. Imports db, config and secrets; the gateway is its only user besides `flask doctor`.
"""
