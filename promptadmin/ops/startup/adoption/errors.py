"""The one error that adoption raises."""


class UnusableDatabaseError(Exception):
    """A database that can't be served as it is; the message says why and what to do. Nothing was changed."""
