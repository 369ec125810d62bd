"""The function's metrics, and the alarms on them."""
