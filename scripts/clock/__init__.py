"""One clock for several processes, faster than the real one where wanted."""
