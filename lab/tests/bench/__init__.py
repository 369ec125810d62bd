"""The benchmarks: what they make of numbers, and what they refuse."""
