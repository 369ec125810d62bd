"""Lambda: functions, their permissions and how they are invoked."""
