"""What can be decided about the stack: the options of the constructs, read from context."""
