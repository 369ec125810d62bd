"""The topics: who may publish to them, and what encrypts them."""
