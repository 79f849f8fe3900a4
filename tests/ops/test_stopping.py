"""Ctrl-C in a terminal, which reaches every process of the group, and other ends of servers and commands."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from promptadmin.ops.backups.copying import interruptible, reading
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, Scratch

PLUGINS = "projects,optimizations,webhooks,mcp"
SECONDS = 25.0  # on a busy machine; a worker that hangs takes 45


def descendants(pid: int) -> set[int]:
    """The processes below one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def is_there(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes: set[int], seconds: float = SECONDS) -> bool:
    """Whether all of them end within so long."""
    deadline = time.monotonic() + seconds
    while any(is_there(pid) for pid in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def start(scratch: Scratch, *options: str, terminal: int | None = None) -> tuple[subprocess.Popen[bytes], Path, int]:
    """Start a server as a shell does, in a session of its own."""
    port = free_port()
    log = scratch.directory / "serve.log"
    variables = {"PROMPTADMIN_PLUGINS": PLUGINS, "PROMPTADMIN_WEBHOOKS_HOSTS": "127.0.0.1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port), *options],
            cwd=REPOSITORY,
            env=scratch.environment(**variables),
            stdin=terminal if terminal is not None else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, log, port


def wait_for(process: subprocess.Popen[bytes], log: Path, port: int, *, processes: int) -> set[int]:
    """Wait until it answers and has so many processes below it; answers those."""
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2).close()
        except OSError:
            pass
        else:
            found = descendants(process.pid)
            if len(found) >= processes:
                return found
        time.sleep(0.1)


@pytest.fixture
def database(scratch: Scratch, new_file: bytes) -> None:
    """Whose making nobody needs to wait for."""
    scratch.database.write_bytes(new_file)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("options", "number", "times", "processes"),
    [
        (
            ["--workers", "2", "--mcp"],
            signal.SIGINT,
            1,
            6,
        ),  # with upkeep, webhooks, and a server of two
        (["--workers", "1"], signal.SIGINT, 3, 3),
        (["--workers", "2"], signal.SIGTERM, 1, 4),
    ],
    ids=["one-ctrl-c", "three", "sigterm"],
)
def test_a_signal_to_the_whole_group_stops_the_server_at_once(
    scratch: Scratch, options: list[str], number: signal.Signals, times: int, processes: int
) -> None:
    process, log, port = start(scratch, *options)
    children = wait_for(process, log, port, processes=processes)
    for _ in range(times):
        os.killpg(process.pid, number)
        time.sleep(0.05)
    assert process.wait(timeout=SECONDS) == 0, log.read_text()
    assert gone(children)
    assert "Traceback" not in log.read_text()


@pytest.mark.usefixtures("database")
def test_workers_that_are_still_loading_stop_at_once(scratch: Scratch) -> None:
    process, log, _ = start(scratch, "--workers", "2")
    deadline = time.monotonic() + 120
    while "Spawning worker-1" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=SECONDS) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_process_that_is_stopped_as_soon_as_it_is_forked_stops() -> None:
    """Python forgets the signals that a new process got before it was ready; ours wait until it is."""
    code = """
import os, signal, time
from promptadmin.ops.server.serving import keep_signals_of_new_processes
keep_signals_of_new_processes()
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
for _ in range(100):
    if (process := os.fork()) == 0:
        time.sleep(20)
        os._exit(1)
    os.kill(process, signal.SIGTERM)
    assert os.waitpid(process, 0)[1] == 0
"""
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("database")
def test_closing_the_terminal_stops_it(scratch: Scratch) -> None:
    """The kernel then sends SIGHUP to the session; without a terminal it renews the workers."""
    keyboard, terminal = pty.openpty()
    try:
        process, log, port = start(scratch, "--workers", "1", terminal=terminal)
        children = wait_for(process, log, port, processes=3)
        os.killpg(process.pid, signal.SIGHUP)
        assert process.wait(timeout=SECONDS) == 0, log.read_text()
        assert gone(children)
    finally:
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.usefixtures("database")
def test_nothing_is_left_when_it_is_killed(scratch: Scratch) -> None:
    """A worker that stayed would keep the port, and answer beside the next server."""
    process, log, port = start(scratch, "--workers", "2", "--mcp")
    children = wait_for(process, log, port, processes=5)
    process.kill()
    process.wait()
    assert gone(children), [Path(f"/proc/{pid}/cmdline").read_text() for pid in children if is_there(pid)]


def test_ctrl_c_ends_a_long_statement_of_a_backup(tmp_path: Path) -> None:
    """Which doesn't return to Python before it is over."""
    file = tmp_path / "file.db"
    sqlite3.connect(file).close()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
    pressed.start()
    try:
        with reading(file) as raw, pytest.raises(KeyboardInterrupt):
            interruptible(raw, lambda: raw.execute(endless).fetchall())
    finally:
        pressed.join()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("arguments", "moment"),
    [
        (["serve", "--port", "1"], 0.5),
        (["startup"], 0.9),
        (["selftest", "--kill", "50"], 3.0),
        (["upkeep"], 1.5),
        (["shell", "-c", "import time; time.sleep(60)"], 1.5),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_ctrl_c_ends_a_command_with_one_line(
    scratch: Scratch, new_file: bytes, arguments: list[str], moment: float
) -> None:
    """Or in silence, by the signal itself, as long as Django isn't imported."""
    if arguments[0] == "upkeep":
        scratch.database.write_bytes(new_file)
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
        cwd=scratch.directory,
        env=scratch.environment(TMPDIR=str(scratch.directory)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(moment)
    children = descendants(process.pid)
    for _ in range(2):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
    output, errors = process.communicate(timeout=SECONDS)
    assert "Traceback" not in output + errors
    assert process.returncode in (130, -signal.SIGINT), errors
    if process.returncode == 130:
        assert "Interrupted. What was done so far is kept" in errors
    assert gone(children)


def test_ctrl_c_within_a_destructor_ends_a_command_too(scratch: Scratch) -> None:
    """Python drops such an interruption and goes on."""
    code = (
        "import signal, time\n"
        "class Pressed:\n"
        "    def __del__(self):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "Pressed()\n"
        "time.sleep(60)\n"
    )
    finished = scratch.manage("shell", "-c", code)
    assert finished.returncode == 130
    assert "Traceback" not in finished.stderr
    assert "Interrupted. What was done so far is kept" in finished.stderr
