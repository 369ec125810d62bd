"""EC2 Auto Scaling: how a group replaces its members."""
