"""What `python -m lab` can be told to do, a file for each command or two."""
