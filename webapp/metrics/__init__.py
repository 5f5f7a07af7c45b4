"""What monitoring reads at /metrics: counts and times of calls, the ledger, connections, and the database's size.

`measured` names the metrics; the gateway and the ledger count in them. The room imports auth, replica,
db, config and errors.
"""
