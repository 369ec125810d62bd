"""The watch on the instances: what it judges, and how it speaks."""
