"""The sandbox: stands in for OpenAI when there is no OpenAI key, with made-up answers and real usage blocks.

Its calls are priced like any other, but no money is spent. `simulator.answer` is the way in. Imports metering,
for the names of endpoints; only the gateway imports this room.
"""
