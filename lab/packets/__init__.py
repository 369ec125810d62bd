"""Real packets: network namespaces that play the hosts of a VPC, its NATs and the internet."""
