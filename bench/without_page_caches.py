"""promptadmin's settings, for connections to SQLite whose page caches hold next to nothing."""

from promptadmin import sqlite
from promptadmin.settings import *  # noqa: F403

PAGES = 16
sqlite.PRAGMAS["cache_size"] = sqlite.PRAGMAS_READ_BACK["cache_size"] = PAGES
