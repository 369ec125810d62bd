"""What a report says and draws, and how it looks in a browser."""
