"""What can be decided about the stack, a file for each section; `app` has the whole."""
