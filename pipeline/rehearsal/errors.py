"""The one error that ends a rehearsal."""


class RehearsalError(Exception):
    """Something did not hold, or cannot be rehearsed here. The message says what, and what to do or where to look."""
