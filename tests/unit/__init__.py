"""Pure functions: no AWS, no clock, no files."""
