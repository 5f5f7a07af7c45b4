"""The stand-in for OpenAI when there is no OpenAI key: made-up answers with real usage blocks, priced as play money.

`simulator.answer` is the way in. Imports metering, to read requests as the gateway does.
"""
