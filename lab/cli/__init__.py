"""What belongs to the command line alone: its working directory, and what it refuses at once."""
