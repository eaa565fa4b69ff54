"""The demo: a simulated Miniserver and a real Home Assistant, set up and driven."""
