"""Other designs, written anew, to compare with: each a function that can be drilled."""
