"""What packets do in network namespaces."""
