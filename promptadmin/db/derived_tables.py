"""Tables that hold nothing but what can be made again from others: an index of texts, sums of rows.

An upkeep job fills them and triggers keep them right. Their names, and those of their triggers, begin with PREFIX. They
are in backups, whose digests are of whole files, but aren't moved to another database: it makes its own.
"""

from __future__ import annotations

PREFIX = "promptadmin_derived_"


def is_derived(name: str) -> bool:
    """Whether a table, trigger or index of this name can be made again from others."""
    return name.startswith(PREFIX)
