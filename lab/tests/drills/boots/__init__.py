"""What instances do of themselves, in a region whose AWS knows nothing of it."""
