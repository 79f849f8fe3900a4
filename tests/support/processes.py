"""`manage.py` in processes of its own, with an environment that has nothing of the one the tests run in."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = ("PROMPTADMIN_", "DJANGO_", "DATABASE_URL", "AUTH_TOKEN", "FRONTEND_URL", "RATE_LIMIT")
SECONDS = 200  # for any command, on a busy machine; a hanging one fails its test
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


def environment(**variables: str) -> dict[str, str]:
    """The variables of this process without those that promptadmin reads, and with the given ones."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | variables


def lose_override() -> None:
    """Called in a new process: a superuser's file permissions count from its next program on, as anybody's do."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def as_anybody() -> Callable[[], None] | None:
    """The `preexec_fn` with which permission bits hold even where the tests run as root."""
    return lose_override if os.geteuid() == 0 else None


@dataclass
class Scratch:
    """A directory with a database that may or may not exist yet, and a data directory."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """Where `manage.py` looks for the database, unless `variables` say otherwise."""
        return self.directory / "promptforge.db"

    @property
    def data_dir(self) -> Path:
        """The data directory, apart from the database."""
        return self.directory / "data"

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of a command."""
        ours = {"PROMPTADMIN_DATA_DIR": str(self.data_dir), "DATABASE_URL": f"sqlite:///{self.database}"}
        return environment(**(ours | self.variables | variables))

    def manage(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end. Options in capitals are environment variables, others are subprocess.run's."""
        variables = {name: options.pop(name) for name in list(options) if name.isupper()}
        return subprocess.run(
            [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
            env=self.environment(**variables),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            **({"timeout": SECONDS} | options),
        )

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command; whoever does must wait for it or kill it."""
        return subprocess.Popen(
            [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
            env=self.environment(**variables),
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
