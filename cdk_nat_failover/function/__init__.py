"""The failover function as a construct, and what belongs to it."""
