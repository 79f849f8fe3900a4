"""All queries and writes on runs, with the rules that hold at every door.

A door opens a `write_session()` or a `read_session()` around each call; `optimizations.export` opens its own.
What is refused raises a `promptadmin.errors.Refused`.
"""

from optimizations.filters import RunFilters
from optimizations.importing import Imported, Importing, ImportRefused
from optimizations.paging import BrokenCursor
from optimizations.records import Page

__all__ = ["BrokenCursor", "ImportRefused", "Imported", "OptimizationRepository", "Page", "RunFilters"]


class OptimizationRepository(Importing):
    """Runs: lists, single runs, writes, import."""
