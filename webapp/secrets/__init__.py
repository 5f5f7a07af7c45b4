"""Secrets: makes and hashes proxy keys, checks and encrypts provider keys, encrypts other secrets for the database.

Imports config, db, errors, and from upstream the check of addresses.
"""
