"""promptadmin's settings, for connections to SQLite whose page caches hold next to nothing."""

from bench.plain import FEW_PAGES
from promptadmin.db.sqlite import pragmas
from promptadmin.settings import *  # noqa: F403

pragmas.PRAGMAS["cache_size"] = pragmas.PRAGMAS_READ_BACK["cache_size"] = FEW_PAGES
