"""What keeps a plugin's failure its own: logged with the plugin's name, and nobody else's."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import DEFAULT_DB_ALIAS, connections, transaction

logger = logging.getLogger(__name__)
#: (plugin, what) → how often it has failed in this process; the doctor tells it where the server itself runs it.
failures: Counter[tuple[str, str]] = Counter()


@contextmanager
def isolate_plugin_errors(plugin: str, what: str, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Log any error of the block as the plugin's, and go on after it.

    In a transaction the block has a savepoint, to which an error goes back: a failed statement doesn't take the
    caller's own ones with it.
    """
    savepoint = transaction.atomic(using=using) if connections[using].in_atomic_block else nullcontext()
    try:
        with savepoint:
            yield
    except Exception:
        failures[plugin, what] += 1
        logger.exception("Plugin %s: %s failed", plugin, what)
