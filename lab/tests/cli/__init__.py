"""What `python -m lab` says and refuses."""
