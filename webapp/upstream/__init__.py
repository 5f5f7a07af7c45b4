"""The HTTP client towards OpenAI: one request out, one answer in, on connections that are kept alive.

`client.Client.send` is the way in. This room knows nothing of calls, keys or the ledger and imports no other room.
"""
