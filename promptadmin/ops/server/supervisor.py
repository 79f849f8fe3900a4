"""Commands that `serve` keeps running beside the server, as long as it runs itself."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType

from promptadmin.ops.child_processes import python_module
from promptadmin.ops.server.worker import stop_with_parent

logger = logging.getLogger(__name__)

SECONDS_BEFORE_RESTART = 5.0
SECONDS_LATE = 2.0
SECONDS_TO_STOP = 10.0


class Companions:
    """Processes of `promptadmin`, one for each command, started again when they end, and stopped with the block.

    The `late` ones start when the server has had the machine to itself for a moment.
    """

    def __init__(self, commands: Sequence[Sequence[str]], late: Sequence[Sequence[str]] = ()) -> None:
        self.commands = [*((command, 0.0) for command in commands), *((command, SECONDS_LATE) for command in late)]
        self._stopping = threading.Event()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Companions:
        for number, (command, wait) in enumerate(self.commands):
            thread = threading.Thread(target=self._keep, args=[number, command, wait], daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for process in self._processes.values():
            process.terminate()
        for thread in self._threads:
            thread.join(SECONDS_TO_STOP)
        for process in self._processes.values():
            process.kill()

    def _keep(self, number: int, command: Sequence[str], wait: float) -> None:
        self._stopping.wait(wait)
        while not self._stopping.is_set():
            line = python_module("promptadmin.ops.server.supervisor", str(os.getpid()), *command)
            process = self._processes[number] = subprocess.Popen(  # noqa: S603  # our own commands
                line,
                process_group=0,  # a terminal's Ctrl-C stops the server, which stops them
            )
            if self._stopping.is_set():
                process.terminate()
            status = process.wait()
            if not self._stopping.is_set():
                logger.warning("%s ended with %s: it starts again", command[0], status)
                self._stopping.wait(SECONDS_BEFORE_RESTART)


def main() -> None:
    """Run a command of `promptadmin` until the process with the given id, which started this one, is gone."""
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
    threading.Thread(target=stop_with_parent, args=[int(sys.argv[1])], daemon=True).start()
    try:
        execute_from_command_line(["promptadmin", *sys.argv[2:]])
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
