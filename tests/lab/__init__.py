"""The region in a box, and drills in it."""
