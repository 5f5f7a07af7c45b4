"""Responses, Realtime and Live over WebSocket: one client and OpenAI, every message passed on, every response a call.

door.py lets a session in, relay.py passes its messages on, responses.py, realtime.py and live.py know which message
begins and which ends something that OpenAI bills. Frames are made and read by the library ``websockets``.
Imports gateway, ledger, metering, metrics, secrets, server and upstream; only `webapp.create_app` imports this room.
"""
