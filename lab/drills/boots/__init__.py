"""What the app's instances do of themselves: they boot, say how it went, and forward packets.

AWS knows nothing of it, and so the emulated region does not either. It is read from the deployed
user data as far as that says it.
"""
