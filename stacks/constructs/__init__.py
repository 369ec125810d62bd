"""The parts of the stack, one construct to a file."""
