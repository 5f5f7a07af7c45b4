"""`flask …` for operators: one file for each command or group, one way to reach the database as its owner.

Imports every other room; nothing imports this one but `webapp.create_app`.
"""
