"""Real packets in network namespaces."""
