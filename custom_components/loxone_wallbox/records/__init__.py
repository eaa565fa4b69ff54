"""What is kept: files that survive a crash. Blocking; called in the executor."""
