"""Lambda, as far as a function can tell: its deployed zip under AWS's own runtime client."""
