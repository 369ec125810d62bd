"""SNS and EventBridge: what is delivered to whom, and when."""
