"""PostgreSQL servers of a test's own, which may be stopped, and replicas of them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

USER = "postgres"
NEEDED = ("initdb", "pg_ctl", "pg_basebackup")
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
shared_buffers = 32MB
"""


@functools.cache
def programs() -> Path | None:
    """The directory of PostgreSQL's server programs; Debian keeps them off the PATH."""
    found = shutil.which("pg_basebackup")
    places = [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *([Path(found).parent] if found else []),
    ]
    return next((place for place in places if all((place / name).exists() for name in NEEDED)), None)


def why_no_clusters() -> str:
    """Why tests can't make servers; empty if they can."""
    if programs() is None:
        return "no PostgreSQL server programs: none on the PATH, nor in /usr/lib/postgresql/*/bin"
    if os.geteuid() == 0 and not shutil.which("runuser"):
        return "no PostgreSQL server: as root it takes runuser"
    return ""


def run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs, which refuse to run as root."""
    directory = programs()
    assert directory is not None
    command = [str(directory / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", USER, "--", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=60)
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


@dataclass(frozen=True)
class Cluster:
    """A server, in a directory and on a port of its own."""

    directory: Path
    port: int

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        # Output goes to a file: a pipe would stay open as long as the server.
        log = self.directory / "log"
        run("pg_ctl", "start", "-w", "-D", str(self.directory), "-l", str(log), "-o", f"-p {self.port}")

    def stop(self, mode: str = "immediate") -> None:
        run("pg_ctl", "stop", "-w", "-D", str(self.directory), "-m", mode)

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as server:
            cursor = server.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def cluster(*, of: Cluster | None = None) -> Iterator[Cluster]:
    """A running server, new and empty or a streaming replica `of` another one; stopped and removed at the end."""
    place = Path(tempfile.mkdtemp(prefix="promptadmin-postgresql-"))
    made = Cluster(place / "data", free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(place, USER, USER)
        if of is None:
            arguments = ["-D", str(made.directory), "-U", USER, "--auth=trust", "-E", "UTF8", "--no-sync"]
            run("initdb", *arguments, "--locale=C.UTF-8", "--no-instructions")
            with (made.directory / "postgresql.conf").open("a") as file:
                file.write(SETTINGS)
        else:
            run("pg_basebackup", "-D", str(made.directory), "-d", of.url, "-R", "-c", "fast", "--no-sync")
        made.start()
        yield made
    finally:
        if (made.directory / "postmaster.pid").exists():
            made.stop()
        shutil.rmtree(place)
