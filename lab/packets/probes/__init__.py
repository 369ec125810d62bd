"""What is measured with packets: a server on the internet, and a client in each private host.

Both are processes that run inside of a namespace; `processes.py` starts and ends them, the rest of
the lab knows nothing else. They import nothing but the standard library, so that they start fast
and cost little.
"""
