"""One proxied call, from the request line to its settled row.

`gateway.Gateway` is the WSGI application in front of Flask and reads top to bottom; the other modules are its steps.
Imports upstream, metering, ledger, metrics, sandbox, secrets and, of server, what marks the last bytes of an answer;
`webapp.create_app` and websocket import it.
"""
