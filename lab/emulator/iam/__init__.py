"""IAM: whether the deployed policies allow a call, by AWS's rules, and what AWS then answers."""
