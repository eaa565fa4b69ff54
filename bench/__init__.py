"""Figures the integration has to reach, measured; run with `python -m bench`."""
