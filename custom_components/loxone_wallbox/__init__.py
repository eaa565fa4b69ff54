"""Loxone Wallbox for Home Assistant."""
