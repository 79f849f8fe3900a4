"""Any SQLite file or PostgreSQL database as one of Django's connections, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.database_url import database_config, described
from promptadmin.db.sqlite.read_connections import Connection

ALIAS = "scratch"


def sqlite_config(path: Path) -> dict[str, Any]:
    """The settings of a SQLite file, as promptadmin's own."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "factory": Connection},
    }


@contextmanager
def as_default(path: Path) -> Iterator[None]:
    """A SQLite file as the default database of this process, whose own may be PostgreSQL's."""
    default, config = connections[DEFAULT_DB_ALIAS], connections.settings[DEFAULT_DB_ALIAS]
    default.close()
    del connections[DEFAULT_DB_ALIAS]
    try:
        with connected({**database_config("sqlite:///any.db"), "NAME": path}, DEFAULT_DB_ALIAS):
            yield
    finally:
        connections.settings[DEFAULT_DB_ALIAS] = config
        connections[DEFAULT_DB_ALIAS] = default


@contextmanager
def connected(config: dict[str, Any], alias: str = ALIAS) -> Iterator[BaseDatabaseWrapper]:
    """A connection with these settings under an alias, closed at the end."""
    connections.settings[alias] = connections.configure_settings({"default": config})["default"]
    ContentType.objects.clear_cache()  # it holds the keys of the last database of this alias
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]
        ContentType.objects.clear_cache()


def postgresql_config(url: str) -> dict[str, Any]:
    """The settings of a PostgreSQL database."""
    return {**described(url), "CONN_MAX_AGE": 0}
