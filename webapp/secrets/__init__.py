"""Secrets: proxy keys (made, hashed), provider keys (checked, sealed), and the encryption of stored secrets.

Imports config, db, errors, and from upstream the check of addresses.
"""
