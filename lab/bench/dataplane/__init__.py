"""What packets get from the instance's boot files, against another way to do the same job."""
