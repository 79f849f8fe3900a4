"""`manage.py serve`, as its users start and stop it."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from promptadmin.management.commands import serve
from tests.conftest import Command
from tests.support.ports import free_port
from tests.support.processes import Scratch
from tests.support.servers import STOP_SECONDS, serving


def test_the_first_start_shows_a_password_once(tmp_path: Path) -> None:
    """With the product's own settings, of which other servers of these tests change the hashing of passwords."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with serving(tmp_path, url, DJANGO_SETTINGS_MODULE="promptadmin.settings") as first:
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
        deadline = time.monotonic() + 30
        while '"GET /static/admin/css/base.css' not in (tmp_path / "serve.log").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(site.process.pid, signal.SIGINT)
        assert site.process.wait(timeout=STOP_SECONDS) == 0


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


@pytest.mark.parametrize(("options", "late"), [([], [["upkeep"]]), (["--no-upkeep"], [])])
def test_upkeep_runs_beside_the_server_unless_it_is_left_to_another_one(
    scratch: Scratch, command: Command, new_file: bytes, monkeypatch: pytest.MonkeyPatch, options: list[str], late: Any
) -> None:
    told: list[Any] = []

    @contextmanager
    def companions(commands: Any, late: Any) -> Iterator[None]:
        told.append(late)
        yield

    monkeypatch.setattr(serve, "Companions", companions)
    monkeypatch.setattr(serve.Command, "_serve", lambda *arguments: None)
    scratch.database.write_bytes(new_file)
    done = command("serve", "--port", str(free_port()), *options)
    assert done.returncode == 0, done.stderr
    assert told == [late]


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
