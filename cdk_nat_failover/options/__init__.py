"""What can be chosen, a file per section: each option's default, meaning and rules."""
