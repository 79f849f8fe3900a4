"""Names for tokens, each of which may be given to one alone."""

from __future__ import annotations

import itertools

_numbers = itertools.count(1)


def token_name() -> str:
    """A name that no other token of this process has."""
    return f"token {next(_numbers)}"
