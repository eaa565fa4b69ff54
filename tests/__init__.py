"""Tests of the Loxone Wallbox integration."""
