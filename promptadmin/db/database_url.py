"""From DATABASE_URL to Django's description of a database."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from promptadmin.db.postgresql.connections import with_options
from promptadmin.db.sqlite.read_connections import Connection

#: By the scheme of a URL.
ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    **dict.fromkeys(("postgresql", "postgres", "pgsql"), "django.db.backends.postgresql"),
}


def described(url: str) -> dict[str, Any]:
    """What a URL says of a database, as Django describes one. Raises ValueError; ENGINE is empty for another scheme."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.netloc == ":memory:":
        return {"ENGINE": ENGINES["sqlite"], "NAME": ":memory:"}
    options = {name: _option(value) for name, value in parse_qsl(parts.query)}
    schema = options.pop("currentSchema", "")
    return {
        "ENGINE": ENGINES.get(parts.scheme, ""),
        "NAME": unquote(parts.path[1:]) or (":memory:" if parts.scheme == "sqlite" else ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "CONN_MAX_AGE": None,
        "OPTIONS": {**options, **({"options": f"-c search_path={schema}"} if schema else {})},
    }


def _option(value: str) -> str | int | bool:
    """A value of libpq's, as its driver takes it."""
    if value.isdigit():
        return int(value)
    return {"true": True, "false": False}.get(value.lower(), value)


def database_config(url: str, *, pool: int = 0) -> dict[str, Any]:
    """Django's description of the database that a DATABASE_URL names. Raises ImproperlyConfigured.

    With `pool`, a process shares at most so many connections to PostgreSQL among its threads.
    """
    problem = "use sqlite:///path/to/file.db or postgresql://user:password@host:5432/name."
    try:
        config = described(url)
    except ValueError:
        raise ImproperlyConfigured(f"DATABASE_URL can't be read: {problem}") from None
    if config["ENGINE"] == "django.db.backends.sqlite3":
        options: Any = config.get("OPTIONS")
        if options:
            unknown = ", ".join(sorted(options))
            raise ImproperlyConfigured(f"DATABASE_URL: a SQLite file takes no options, but it names {unknown}.")
        name = str(config["NAME"])
        if urlsplit(url).netloc not in ("", ":memory:"):
            raise ImproperlyConfigured("DATABASE_URL: a SQLite file takes three slashes, as in sqlite:///data/file.db.")
        if name == ":memory:":
            raise ImproperlyConfigured("DATABASE_URL: an in-memory database is lost at exit: name a file.")
        try:
            path = Path(name).expanduser().absolute()
        except RuntimeError as error:
            raise ImproperlyConfigured(f"DATABASE_URL: {error} Write the whole path.") from None
        if path.is_dir():
            raise ImproperlyConfigured(f"DATABASE_URL names a directory, {path}: name a file in it.")
        # IMMEDIATE: two transactions that read and then write queue for the lock instead of failing at the upgrade.
        return {
            "ENGINE": config["ENGINE"],
            "NAME": path,
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "factory": Connection},
        }
    if config["ENGINE"] == "django.db.backends.postgresql":
        if not config["NAME"]:
            raise ImproperlyConfigured(f"DATABASE_URL names no database: {problem}")
        if find_spec("psycopg") is None:
            raise ImproperlyConfigured(
                "DATABASE_URL names a PostgreSQL database, whose driver isn't installed: "
                "run `pip install 'promptadmin[postgresql]'`."
            )
        return with_options(config, pool=pool)
    raise ImproperlyConfigured(f"DATABASE_URL: promptadmin runs on SQLite and PostgreSQL: {problem}")


def replica_config(url: str, primary: dict[str, Any], *, pool: int = 0) -> dict[str, Any]:
    """Django's description of the replica that DATABASE_REPLICA_URL names. Raises ImproperlyConfigured."""
    try:
        config = database_config(url, pool=pool)
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(str(error).replace("DATABASE_URL", "DATABASE_REPLICA_URL")) from None
    if "postgresql" not in config["ENGINE"] or "postgresql" not in primary["ENGINE"]:
        raise ImproperlyConfigured("DATABASE_REPLICA_URL: a replica is one of a PostgreSQL database, as DATABASE_URL.")
    # Each session asks how far the replica is before it reads, which tells whether the connection is usable.
    return {**config, "CONN_HEALTH_CHECKS": bool(pool), "TEST": {"MIRROR": "default"}}
