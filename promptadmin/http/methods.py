"""What HTTP's methods mean here."""

#: Methods whose operations read, in a read session; all others write, in a write session.
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
