"""The network as constructs: a VPC whose subnets keep their addresses whatever its zones are."""
