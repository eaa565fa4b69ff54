"""Measured values and what to believe of them. Knows nothing of Home Assistant."""
