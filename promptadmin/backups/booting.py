"""Starting the application on a restored copy, in processes of its own, to see that it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

COMMANDS = (("startup",), ("check", "--database", "default"))
TIMEOUT = 3600


@dataclass(frozen=True)
class BootStep:
    """A command that was run on the copy, whether it succeeded, what it printed, and how long it took in seconds."""

    command: str
    succeeded: bool
    output: str
    seconds: float


def boot(database_url: str, data_dir: Path) -> list[BootStep]:
    """Run the start-up and the checks on a database with a data directory of its own; ends at the first failure."""
    steps: list[BootStep] = []
    environment = {**os.environ, "DATABASE_URL": database_url, "PROMPTADMIN_DATA_DIR": str(data_dir)}
    for command in COMMANDS:
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603  # our own commands
            [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        steps.append(
            BootStep(" ".join(command), not done.returncode, done.stdout.strip(), round(time.monotonic() - began, 3))
        )
        if done.returncode:
            break
    return steps
