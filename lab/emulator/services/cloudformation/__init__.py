"""CloudFormation: signals, and what waits for them."""
