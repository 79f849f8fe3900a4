"""From DATABASE_URL to Django's description of a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured


def database_config(url: str) -> dict[str, Any]:
    """Django's description of the database that a DATABASE_URL names. Raises ImproperlyConfigured."""
    problem = "use sqlite:///path/to/file.db or postgresql://user:password@host:5432/name."
    try:
        config = dict(dj_database_url.parse(url, conn_max_age=None))
    except (ValueError, KeyError):
        raise ImproperlyConfigured(f"DATABASE_URL can't be read: {problem}") from None
    if config["ENGINE"] == "django.db.backends.sqlite3":
        name = str(config["NAME"])
        if urlsplit(url).netloc not in ("", ":memory:"):
            raise ImproperlyConfigured("DATABASE_URL: a SQLite file takes three slashes, as in sqlite:///data/file.db.")
        if name == ":memory:":
            raise ImproperlyConfigured("DATABASE_URL: an in-memory database is lost at exit: name a file.")
        path = Path(name).expanduser().absolute()
        if path.is_dir():
            raise ImproperlyConfigured(f"DATABASE_URL names a directory, {path}: name a file in it.")
        # IMMEDIATE: two transactions that read and then write queue for the lock instead of failing at the upgrade.
        return {
            "ENGINE": config["ENGINE"],
            "NAME": path,
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    if config["ENGINE"] == "django.db.backends.postgresql":
        if not config["NAME"]:
            raise ImproperlyConfigured(f"DATABASE_URL names no database: {problem}")
        return {**config, "CONN_HEALTH_CHECKS": True}
    raise ImproperlyConfigured(f"DATABASE_URL: promptadmin runs on SQLite and PostgreSQL: {problem}")
