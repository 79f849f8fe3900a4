"""All queries and writes on runs, with the rules that hold at every door.

A door opens a `write_session()` or a `read_session()` around each call; `optimizations.files.export` opens its own.
What is refused raises a `promptadmin.errors.DomainError`.
"""

from optimizations.columns import Page
from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import BrokenCursor
from optimizations.repository.bulk import Bulk
from optimizations.repository.importing import Importing
from optimizations.repository.next_version import NextVersion
from optimizations.repository.searching import Found, Searching, SearchPage
from promptadmin.exchange.lines import Imported, ImportRefused

__all__ = [
    "BrokenCursor",
    "Found",
    "ImportRefused",
    "Imported",
    "OptimizationRepository",
    "Page",
    "RunFilters",
    "SearchPage",
]


class OptimizationRepository(Importing, Bulk, NextVersion, Searching):
    """Runs: lists, pages for people, search, single runs, writes, import, and what they give to prompts."""
