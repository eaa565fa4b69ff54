"""The rules of charging, as functions of their inputs.

Nothing here reads a clock, draws a random number, waits or knows Home Assistant.
"""
