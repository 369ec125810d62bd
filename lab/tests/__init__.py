"""The tests of the lab, by what they test."""
