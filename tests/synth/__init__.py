"""The templates that the app makes."""
