"""The HTTP client for OpenAI's API, with connections that are kept alive.

`client.Client.send` is the interface; client.py says why it is not a library. The room imports no other room; the
gateway imports it, and secrets the check of addresses.
"""
