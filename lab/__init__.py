"""A region in a box: moto plus the AWS behaviours that it lacks, and drills played in it."""
