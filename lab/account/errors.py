"""The one error of a drill in a real account."""


class RealDrillError(Exception):
    """The drill cannot begin, or cannot go on.

    The message is one sentence with what was given, what is allowed, and how to mend it.
    """
