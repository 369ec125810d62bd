"""CloudFormation: what it supports, in which order it works, and when it fails."""
