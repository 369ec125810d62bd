"""CloudWatch: where its metrics come from, and what its alarms make of them."""
