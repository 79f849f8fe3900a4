"""`manage.py serve`, as its users start and stop it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from promptadmin.management.commands import serve
from tests.conftest import Command
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, Scratch, environment
from tests.support.servers import serving


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_first_start_shows_a_password_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with serving(tmp_path, url) as first:
        assert first.user == "admin"
        assert len(first.password) >= 20
        assert f"{first.address}/admin/" in first.printed
    with serving(tmp_path, url) as second:
        assert second.password == ""
        assert first.password not in second.printed


def test_static_files_and_an_access_log_come_with_it_and_ctrl_c_stops_it(tmp_path: Path, new_file: bytes) -> None:
    (tmp_path / "new.db").write_bytes(new_file)
    with serving(tmp_path, f"sqlite:///{tmp_path / 'new.db'}") as site:
        with urllib.request.urlopen(f"{site.address}/static/admin/css/base.css") as answer:
            assert answer.headers["Content-Type"].startswith("text/css")
        time.sleep(0.3)
        assert '"GET /static/admin/css/base.css' in (tmp_path / "serve.log").read_text()
        os.kill(site.process.pid, signal.SIGINT)
        assert site.process.wait(timeout=20) == 0


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """Otherwise they would keep the port and answer beside the next server."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}", "PROMPTADMIN_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment(**variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not answers(address):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10
    while answers(address):
        assert time.monotonic() < deadline, "still served"
        time.sleep(0.1)


def test_a_taken_port_is_said_before_anything_is_done(scratch: Scratch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = scratch.manage("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode != 0
    assert "Give another --host or --port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not scratch.database.exists()


@pytest.mark.parametrize(
    ("arguments", "changed", "message"),
    [
        (["--port", "70000"], {}, "no port 70000"),
        (["--workers", "0"], {}, "at least 1"),
        (["--host", "nowhere.invalid"], {}, "nowhere.invalid"),
        (["--host", "0.0.0.0"], {"API_AUTH": False}, "loopback"),
        ([], {"ADMIN_PASSWORD": "12345"}, "PROMPTADMIN_ADMIN_PASSWORD"),
    ],
)
def test_options_that_cannot_work_are_refused(
    scratch: Scratch, command: Command, arguments: list[str], changed: dict[str, Any], message: str
) -> None:
    with override_settings(**changed):
        done = command("serve", "--port", str(free_port()), *arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert not scratch.database.exists()


def test_both_servers_have_the_same_bounds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    class Granian:
        def __init__(self, target: str, **options: Any) -> None:
            told.append(options)

        def on_startup(self, hook: Any) -> Any:
            return hook

        def serve(self) -> None:
            pass

    monkeypatch.setattr("granian.Granian", Granian)
    call_command("serve_plugins", skip_checks=True)
    serve.Command()._serve("127.0.0.1", 8000, 1, 2)
    plugins, requests = told
    for name in ("backlog", "backpressure", "workers_kill_timeout", "websockets", "respawn_failed_workers"):
        assert plugins[name] == requests[name]
    assert [each["http1_settings"].header_read_timeout for each in told] == [10_000, 10_000]
