"""What a NAT knows of its peers and of itself, and what it says of both.

It runs on the instances, as `/usr/bin/python3 -m watch`: Python 3.9, which Amazon Linux 2023 has,
and the standard library alone. It only adds: without it a NAT forwards, and the failover function
judges by all that it knows otherwise.
"""
