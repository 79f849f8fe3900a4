"""promptadmin's settings, for connections to SQLite whose page caches hold next to nothing."""

from bench.plain import FEW_PAGES
from promptadmin.db.sqlite import connections as sqlite
from promptadmin.settings import *  # noqa: F403

sqlite.PRAGMAS["cache_size"] = sqlite.PRAGMAS_READ_BACK["cache_size"] = FEW_PAGES
