"""Tests of the lab, a folder for each part of it."""
