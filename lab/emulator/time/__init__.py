"""Time in the region: the clocks, AWS's delays, and chance that repeats."""
