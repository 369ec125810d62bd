"""IAM: profiles, roles and the policies that are attached to them."""
