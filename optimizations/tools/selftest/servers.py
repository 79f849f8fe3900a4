"""Servers on the scratch database, each in a process group of its own that can be killed as a whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from django.conf import settings

from optimizations.tools.selftest.ports import free_port
from promptadmin.ops.child_processes import python_module

START_SECONDS = 120
OURS = ("PROMPTADMIN_", "DATABASE_URL", "AUTH_TOKEN", "RATE_LIMIT")


class SelfTestError(Exception):
    """The test itself can't go on: a server doesn't start, or writers hang."""


class Servers:
    """Starts and kills servers on one database and one port; kills what is left at the end of the block.

    `start(whole=True)` runs `promptadmin serve` with everything that belongs to it: the start-up, Granian's workers,
    the upkeep. Otherwise a process that has the application loaded already forks the server, in a tenth of the time.
    """

    def __init__(self, directory: Path, durability: str) -> None:
        self.database = directory / "selftest.db"
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = (directory / "servers.log").open("ab")
        self._environment = _environment(
            PROMPTADMIN_DATA_DIR=str(directory / "data"),
            DATABASE_URL=f"sqlite:///{self.database}",
            AUTH_TOKEN=self.token,
            PROMPTADMIN_DURABILITY=durability,
            PROMPTADMIN_PLUGINS=",".join(settings.ENABLED_PLUGINS),
            PROMPTADMIN_LOG_LEVEL="WARNING",
            DJANGO_SETTINGS_MODULE=os.environ.get("DJANGO_SETTINGS_MODULE", "promptadmin.settings"),
        )
        self._loader: subprocess.Popen[bytes] | None = None
        self._whole: subprocess.Popen[bytes] | None = None
        self._group = 0

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the server, and let the loader end."""
        self.kill()
        if self._loader:
            self._loader.kill()
            self._loader.communicate()
        self._log.close()

    def start(self, *, whole: bool, wait: bool = True) -> None:
        """Start a server and, with `wait`, return when it answers. Raises SelfTestError where it doesn't."""
        if whole:
            self._whole = self._run("promptadmin", "serve", "--port", str(self.port), "--workers", "1")
            self._group = self._whole.pid
        else:
            self._group = self._fork()
        if wait:
            self._wait()

    def kill(self) -> None:
        """End every process of the server at once, as a crash does."""
        if not self._group:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._group, signal.SIGKILL)
        if self._whole:
            self._whole.communicate()
            self._whole = None
        self._group = 0

    def _fork(self) -> int:
        if self._loader is None:
            self._loader = self._run("optimizations.tools.selftest.forking", str(self.port), output=subprocess.PIPE)
        if self._loader.stdin and self._loader.stdout:  # both are pipes
            self._loader.stdin.write(b"\n")
            self._loader.stdin.flush()
            answer = self._loader.stdout.readline().strip()
            if answer:
                return int(answer)
        raise self._failed()

    def _run(self, module: str, *arguments: str, output: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own commands
            python_module(module, *arguments),
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=output or self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._whole and self._whole.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.address}/api/health", timeout=5):  # noqa: S310  # our own address
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        raise self._failed()

    def _failed(self) -> SelfTestError:
        lines = Path(self._log.name).read_text(errors="replace").splitlines()
        return SelfTestError(f"The server doesn't start: {lines[-1] if lines else 'it says nothing'}")


def _environment(**variables: str) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return inherited | variables
