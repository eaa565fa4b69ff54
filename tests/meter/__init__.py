"""Tests of what is believed of a meter."""
