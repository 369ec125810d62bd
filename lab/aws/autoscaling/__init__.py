"""EC2 Auto Scaling: where a group launches, what it notices, and what it tells."""
