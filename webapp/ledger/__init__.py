"""The ledger: opens and settles calls in Postgres, many calls in one transaction, with a spool file for an outage.

`ledger.Ledger` is the interface. The room imports metrics, secrets, db and config; gateway, websocket and
`flask doctor` import it.
"""
