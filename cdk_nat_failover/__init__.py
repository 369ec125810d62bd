"""The construct library: what others import to give their VPC NAT instances that fail over."""
