"""The services of the emulated region, a folder each."""
