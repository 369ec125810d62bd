"""IAM in the lab: what is asked, what is decided, and what AWS answers."""
