"""The emulated region: AWS as it is documented, which knows nothing of what is deployed into it."""
