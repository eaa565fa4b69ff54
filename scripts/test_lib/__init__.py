"""The test command: lint, types and the suite on each release, one summary."""
