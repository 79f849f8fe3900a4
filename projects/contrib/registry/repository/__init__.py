"""All queries and writes on names, labels and the ledger, with the rules that hold at every door.

A door opens a `write_session()` or a `read_session()` around each call.
What is refused raises a `promptadmin.errors.DomainError`.
"""

from projects.contrib.registry.repository.saving import Saving
from projects.contrib.registry.repository.tagging import Tagging

__all__ = ["RegistryRepository"]


class RegistryRepository(Saving, Tagging):
    """Names and tags, labels with their moves and requests, and what a name and a label mean."""
