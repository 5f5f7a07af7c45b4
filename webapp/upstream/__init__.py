"""The HTTP client for OpenAI's API, with connections that are kept alive.

`client.Client.send` is the interface; client.py says why it is not a library. Imports no other room. The gateway,
websocket and `flask doctor` import it; secrets and books import its check of addresses.
"""
