"""Programs that some tests need beside Python: a test says so by a marker, and is skipped where one is absent.

With PROMPTADMIN_REQUIRE_SERVICES=1 in the environment, as in continuous integration, it fails instead.
"""

from __future__ import annotations

import functools
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from bench.wrk import MISSING
from tests.support import legacy_files
from tests.support.clusters import why_no_clusters
from tests.support.processes import REPOSITORY

REQUIRED = os.environ.get("PROMPTADMIN_REQUIRE_SERVICES") == "1"
#: Has the packages of requirements-clients.txt.
CLIENTS_PYTHON = REPOSITORY / ".venv-clients/bin/python"
#: Has the packages of tests/projects/contrib/clients/node/package.json.
NODE_CLIENTS = REPOSITORY / ".venv-clients/node/node_modules"
LOCAL_POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"

needs_postgresql = pytest.mark.needs_postgresql
needs_clusters = pytest.mark.needs_clusters
needs_chromium = pytest.mark.needs_chromium
needs_nginx = pytest.mark.needs_nginx
needs_caddy = pytest.mark.needs_caddy
needs_wrk = pytest.mark.needs_wrk
needs_clients = pytest.mark.needs_clients
needs_node_clients = pytest.mark.needs_node_clients
needs_legacy_files = pytest.mark.needs_legacy_files


def postgresql_url() -> str:
    """The server that tests may make databases on: that of DATABASE_URL, else a local one without a password."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith("postgres") else LOCAL_POSTGRESQL


@functools.cache
def why_no_postgresql() -> str:
    """Why tests can't use PostgreSQL; empty if they can."""
    try:
        psycopg.connect(postgresql_url(), connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL: {' '.join(str(error).split())}"
    return ""


@functools.cache
def why_no_chromium() -> str:
    """Why tests can't drive Chromium; empty if they can."""
    browsers = ("chromium", "chromium-browser", "google-chrome")
    if not any(shutil.which(name) for name in browsers):
        return f"no Chromium: none of {', '.join(browsers)} is on the PATH"
    return "" if shutil.which("chromedriver") else "no Chromium: chromedriver is not on the PATH"


@functools.cache
def why_no_caddy() -> str:
    """Why tests can't put Caddy in front of a server; empty if they can."""
    return "" if shutil.which("caddy") else "no caddy"


def why_no_nginx() -> str:
    """Why tests can't put nginx in front of a server; empty if they can."""
    missing = [name for name in ("nginx", "openssl") if not shutil.which(name)]
    return f"no {' and no '.join(missing)}" if missing else ""


@functools.cache
def why_no_wrk() -> str:
    """Why tests can't send load; empty if they can."""
    return "" if shutil.which("wrk") else MISSING


@functools.cache
def why_no_clients() -> str:
    """Why tests can't run other products' clients; empty if they can."""
    return "" if CLIENTS_PYTHON.exists() else "no clients of other products: `make install-clients` installs them"


@functools.cache
def why_no_node_clients() -> str:
    """Why tests can't run other products' clients in JavaScript; empty if they can."""
    if not shutil.which("node"):
        return "no Node.js: node is not on the PATH"
    return "" if NODE_CLIENTS.is_dir() else "no clients in JavaScript: `make install-clients` installs them"


@functools.cache
def why_no_legacy_files() -> str:
    """Why tests can't adopt the sample files; empty if they can."""
    if legacy_files.SAMPLES.is_dir():
        return ""
    return "the sample files of PromptForge are not part of this repository"


def absent(reason: str) -> NoReturn:
    """Skip, or fail, a test that needs what isn't there."""
    if REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def check_services(item: pytest.Item) -> None:
    """Skip, or fail, a test whose marker names a service that isn't there."""
    for marker, reason in (
        ("needs_postgresql", why_no_postgresql),
        ("needs_clusters", why_no_clusters),
        ("needs_chromium", why_no_chromium),
        ("needs_nginx", why_no_nginx),
        ("needs_caddy", why_no_caddy),
        ("needs_wrk", why_no_wrk),
        ("needs_clients", why_no_clients),
        ("needs_node_clients", why_no_node_clients),
    ):
        if item.get_closest_marker(marker) and reason():
            absent(reason())
    if item.get_closest_marker("needs_legacy_files") and why_no_legacy_files():
        pytest.skip(why_no_legacy_files())  # never a failure: a clone has no such files


@contextmanager
def postgresql_database() -> Iterator[str]:
    """The URL of a new, empty database, dropped at the end."""
    name = f"promptadmin_scratch_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgresql_url(), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield urlsplit(postgresql_url())._replace(path=f"/{name}").geturl()
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
