"""What AWS documents of the values that it accepts, as data; it knows nothing of this project."""
