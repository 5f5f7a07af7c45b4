"""One proxied call, from the request line to its settled row.

`gateway.Gateway` is the WSGI application in front of Flask and reads top to bottom; the other modules are its steps.
Imports upstream, metering, ledger, sandbox and secrets; nothing but `webapp.create_app` imports this room.
"""
