"""Commands that run beside the server: started again when they end, and gone with the server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from promptadmin.ops.server import supervisor
from promptadmin.ops.server.supervisor import Companions
from tests.support.processes import Scratch

STARTED: list[subprocess.Popen[bytes]] = []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def own_commands(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Companions start at once again, with a data directory of the test's own, and are counted."""
    STARTED.clear()

    class Counted(subprocess.Popen):  # type: ignore[type-arg]  # its kind of text doesn't matter
        def __init__(self, command: Any, **options: Any) -> None:
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            super().__init__(command, env=scratch.environment(), **quiet, **options)
            STARTED.append(self)

    monkeypatch.setattr(supervisor, "subprocess", SimpleNamespace(Popen=Counted))
    monkeypatch.setattr(supervisor, "SECONDS_BEFORE_RESTART", 0.05)


def test_one_that_ends_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    with Companions([["version"]]):
        until(lambda: len(STARTED) >= 2)
    assert all(process.poll() is not None for process in STARTED)
    assert "version ended with 0: it starts again" in caplog.text


def test_one_that_runs_is_stopped_with_the_block() -> None:
    with Companions([["shell", "-c", "import time; time.sleep(60)"]]):
        until(lambda: len(STARTED) == 1)
        time.sleep(0.2)
        assert STARTED[0].poll() is None
    assert STARTED[0].poll() is not None


def test_one_whose_server_was_killed_ends_by_itself(scratch: Scratch) -> None:
    """Its first argument is the process to go with; this one never was its parent."""
    command = [
        sys.executable,
        "-m",
        "promptadmin.ops.server.supervisor",
        "1",
        "shell",
        "-c",
        "import time; time.sleep(60)",
    ]
    orphan = subprocess.run(command, env=scratch.environment(), capture_output=True, timeout=20, check=False)
    assert orphan.returncode < 0
