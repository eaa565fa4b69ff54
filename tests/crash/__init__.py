"""Home Assistant in a process of its own, which may be killed at any instant."""
