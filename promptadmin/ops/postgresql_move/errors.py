"""The one error that moving raises."""


class MoveError(Exception):
    """A move that can't be made or finished; the message says why and what to do. The source is never changed."""
