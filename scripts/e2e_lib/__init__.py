"""The end-to-end test: a real browser before a real Home Assistant."""
