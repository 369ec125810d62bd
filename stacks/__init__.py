"""What is deployed: `settings` says it, `nat_stack` wires it, `constructs` build it."""
