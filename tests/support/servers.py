"""`manage.py serve` as its users run it: a process of its own, from its first line to a clean stop."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, environment

START_SECONDS = 120
STOP_SECONDS = 45  # within which a stop answers what was accepted


@dataclass(frozen=True)
class Site:
    """A running server: its address, what it printed before it served, and the administrator that it made."""

    address: str
    printed: str
    user: str
    password: str
    process: subprocess.Popen[bytes]


@contextmanager
def serving(directory: Path, database_url: str, *options: str, workers: int = 1, **variables: str) -> Iterator[Site]:
    """Serve a database on a free port; fails the test unless SIGTERM then stops the server cleanly."""
    ours = {
        "DATABASE_URL": database_url,
        "PROMPTADMIN_DATA_DIR": str(directory / "data"),
        "DJANGO_SETTINGS_MODULE": "tests.support.server_settings",
    }
    command = [sys.executable, "manage.py", "serve", "--workers", str(workers), *options]
    with running(command, directory / "serve.log", REPOSITORY, environment(**(ours | variables))) as site:
        yield site


@contextmanager
def running(command: list[str], log: Path, directory: Path, variables: dict[str, str]) -> Iterator[Site]:
    """Run a command that serves, with a free port, as `serving` does."""
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=directory, env=variables, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_served(("127.0.0.1", port), process, log)
        printed = log.read_text()
        made = re.search(r"user name: (\S+)\s+password: +(\S+)", printed)
        user, password = made.groups() if made else ("", "")
        yield Site(address, printed, user, password, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=STOP_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _wait_until_served(address: tuple[str, int], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        connection = http.client.HTTPConnection(*address, timeout=2)
        try:
            connection.request("GET", "/api/health")
            connection.getresponse().read()  # with PROMPTADMIN_HTTPS it is a redirection
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    pytest.fail(f"not served after {START_SECONDS} s: {log.read_text()}")
