"""How AWS calls its Regions and zones, in every partition, also those that begin with more letters.

Sources: "AWS Regions and Availability Zones"; the regular expressions of the partitions in
botocore's `endpoints.json` (aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f,
aws-eusc).
"""

REGION = r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"
"""Such as eu-west-1, us-gov-west-1, us-isob-east-1, eusc-de-east-1."""

ZONE = rf"{REGION}[a-z]"
"""An Availability Zone, such as eusc-de-east-1a."""

ZONE_ID = r"[a-z]+[0-9]{1,2}-az[0-9]"
"""The same Availability Zone in every account, such as use1-az1 ("AZ IDs", AWS Regions and
Availability Zones)."""

EDGE_ZONE = rf"{REGION}(-[a-z0-9]+)+-[0-9][a-z]|{REGION}-wl[0-9](-[a-z0-9]+)+-[0-9]"
"""A Local Zone, such as us-west-2-lax-1a, or a Wavelength Zone, such as us-east-1-wl1-bos-wlz-1."""
