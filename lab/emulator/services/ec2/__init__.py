"""EC2 and VPC: what moto lacks or believes."""
