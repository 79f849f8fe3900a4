"""Which SQLite runs: pysqlite3's in every process where it has a wheel, and Python's own elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from packaging.requirements import Requirement
from pytest_django import Settings

from promptadmin.db.sqlite.known_bugs import bugs_of
from tests.support.processes import REPOSITORY, Scratch
from tests.support.servers import serving

TOKEN = {"Authorization": "Bearer secret"}
SECONDS_UNTIL_ALL_RUN = 30
PROCESSES = 7  # the server, two workers, upkeep, the deliverer of webhooks, the plugins' server and its worker
#: The files of a process' memory that hold a SQLite.
LIBRARY = re.compile(r"/(libsqlite3\.so|_sqlite3\.)")
PRINT_RELEASE = "import sqlite3; print(sqlite3.sqlite_version)"


def has_wheel() -> bool:
    """Whether requirements.txt asks for pysqlite3 on this platform."""
    for line in (REPOSITORY / "requirements.txt").read_text().splitlines():
        if line.startswith("pysqlite3"):
            marker = Requirement(line).marker
            return marker is None or marker.evaluate()
    return False


with_wheel = pytest.mark.skipif(not has_wheel(), reason="pysqlite3 has no wheel for this platform")


def release(printed: str) -> tuple[int, ...]:
    return tuple(int(part) for part in printed.strip().split("."))


@pytest.fixture
def without_package(tmp_path: Path) -> dict[str, str]:
    """An environment in which pysqlite3 can't be loaded, as with a wheel that doesn't fit the machine."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "pysqlite3.py").write_text("raise ImportError\n")
    return {"PYTHONPATH": str(hidden)}


@with_wheel
def test_all_of_this_process_uses_one_library() -> None:
    """Every module that imported `sqlite3`, Django's backend and the tests among them, got the same one."""
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("promptadmin", "projects", "optimizations", "tests", "bench", "django"):
            for kept in (vars(module).get("sqlite3"), vars(module).get("Database")):
                if isinstance(kept, ModuleType) and "connect" in vars(kept) and kept.__name__ != "psycopg":
                    found[name] = kept.__name__
    assert "django.db.backends.sqlite3.base" in found
    assert "promptadmin.db.sqlite.read_connections" in found
    assert set(found.values()) <= {"pysqlite3", "pysqlite3.dbapi2"}, found
    assert not bugs_of(sys.modules["sqlite3"].sqlite_version_info)


@with_wheel
@pytest.mark.parametrize(
    "first",
    [
        "import promptadmin",
        "import sqlite3; import promptadmin.settings; import importlib; sqlite3 = importlib.import_module('sqlite3')",
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'promptadmin.settings'; django.setup()",
        "import promptadmin.wsgi",
        "import promptadmin.asgi",
        "import bench",
        "import tests.support",
    ],
)
def test_a_program_that_loads_the_product_uses_it(scratch: Scratch, first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{first}; {PRINT_RELEASE}"],
        cwd=REPOSITORY,
        env=scratch.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not bugs_of(release(done.stdout))


@with_wheel
def test_a_command_uses_it(scratch: Scratch) -> None:
    code = "from django.db import connection as c; print(c.cursor().execute('SELECT sqlite_version()').fetchone()[0])"
    done = scratch.manage("shell", "--no-imports", "-c", code)
    assert not bugs_of(release(done.stdout)), done.stderr


def processes_below(parent: int) -> Iterator[int]:
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from processes_below(child)


def libraries(process: int) -> set[str]:
    """The files with a SQLite in them that a process has loaded."""
    lines = Path(f"/proc/{process}/maps").read_text().splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if LIBRARY.search(line)}


@with_wheel
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_each_process_of_a_server_uses_it(tmp_path: Path) -> None:
    variables = {"PROMPTADMIN_PLUGINS": "projects,optimizations,mcp,webhooks"}
    with serving(tmp_path, f"sqlite:///{tmp_path / 'new.db'}", "--mcp", workers=2, **variables) as site:
        until = time.monotonic() + SECONDS_UNTIL_ALL_RUN
        found: dict[int, set[str]] = {}
        while len(found) < PROCESSES and time.monotonic() < until:
            time.sleep(0.2)
            running = [site.process.pid, *processes_below(site.process.pid)]
            found = {process: loaded for process in running if (loaded := libraries(process))}
        assert len(found) == PROCESSES, found
        for process, loaded in found.items():
            assert all("pysqlite3" in path for path in loaded), (Path(f"/proc/{process}/cmdline").read_text(), loaded)


def test_without_the_package_python_s_own_is_used(scratch: Scratch, without_package: dict[str, str]) -> None:
    """Everything works; `check` and the doctor say which bugs that has."""
    own = subprocess.run(
        [sys.executable, "-c", PRINT_RELEASE], capture_output=True, text=True, check=True
    ).stdout.strip()
    scratch.variables |= without_package
    started = scratch.manage("startup")
    assert started.returncode == 0, started.stderr
    checked = scratch.manage("check", "--database", "default")
    assert checked.returncode == 0
    assert ("promptadmin.W001" in checked.stderr) == bool(bugs_of(release(own)))
    said = scratch.manage("doctor").stdout
    assert f"SQLite {own} from Python" in said
    assert ("install pysqlite3" in said) == bool(bugs_of(release(own)))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/health", "/health"])
def test_health_says_which_to_callers_with_access(client: Client, settings: Settings, path: str) -> None:
    settings.API_AUTH_TOKEN = "secret"
    assert client.get(path).json() == {"status": "ok"}
    details: dict[str, Any] = client.get(path, headers=TOKEN).json()
    if connection.vendor == "postgresql":
        assert "sqlite" not in details
    else:
        with connection.cursor() as cursor:
            version = cursor.execute("SELECT sqlite_version()").fetchone()[0]
        origin = "pysqlite3 " if has_wheel() else "Python"
        assert details["sqlite"].startswith(f"SQLite {version} from {origin}")
