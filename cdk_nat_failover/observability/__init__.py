"""The alarms."""
