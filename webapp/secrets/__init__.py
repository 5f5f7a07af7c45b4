"""Secrets: proxy keys (made, hashed), provider keys (checked, sealed), and the encryption of stored secrets.

Imports config, db and errors.
"""
