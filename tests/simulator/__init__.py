"""Tests of the simulated Miniserver."""
