"""Tests of the Miniserver client, which knows nothing of Home Assistant."""
