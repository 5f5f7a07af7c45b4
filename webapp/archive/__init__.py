"""A month of the ledger as Parquet files with a manifest, written before its calls are dropped, and read back.

tables.py: what is written, a query for each file. month.py: writing and verifying the folder of one month.
May import no other room; the commands ``flask retention`` and ``flask archive`` use it.
"""
