"""Starting the application on a restored copy, in processes of its own, to see that it runs and answers."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from promptadmin.ops.child_processes import python_module

COMMANDS = (("startup",), ("check", "--database", "default"))
REQUESTS = "requests to the application"
TIMEOUT = 3600


@dataclass(frozen=True)
class BootStep:
    """A command that was run on the copy, whether it succeeded, what it printed, and how long it took in seconds.

    The last one is no command of ours: it loads the application and asks it for what must be readable.
    """

    command: str
    succeeded: bool
    output: str
    seconds: float

    @property
    def title(self) -> str:
        return self.command if self.command == REQUESTS else f"promptadmin {self.command}"


def boot(database_url: str, data_dir: Path) -> list[BootStep]:
    """Run the start-up, the checks and some requests on a database, with a data directory of its own.

    Ends at the first failure.
    """
    programs = {" ".join(command): python_module("promptadmin", *command) for command in COMMANDS}
    programs[REQUESTS] = python_module("promptadmin.ops.backups.asking")
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "PROMPTADMIN_DATA_DIR": str(data_dir.absolute()),
        "PROMPTADMIN_ALLOWED_HOSTS": "localhost",
        "AUTH_TOKEN": secrets.token_urlsafe(),
    }
    environment.pop("DATABASE_REPLICA_URL", None)  # it would answer instead of the copy
    steps: list[BootStep] = []
    for name, program in programs.items():
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603  # our own programs
            program,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        steps.append(BootStep(name, not done.returncode, done.stdout.strip(), round(time.monotonic() - began, 3)))
        if done.returncode:
            break
    return steps
