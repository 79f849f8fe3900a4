"""A server is killed and started again: programs go on with what they have, and see a moved label in their time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.requests_to import JsonClient
from tests.clients.test_client import ours
from tests.projects.contrib.clients.conftest import PLUGINS, PROGRAMS, TOKEN
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, environment
from tests.support.services import CLIENTS_PYTHON, needs_clients

NAME = "support/refund"
TTL = 1.0


class Server:
    """One that is killed with all of its processes, and comes back at the same port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        variables = environment(
            DATABASE_URL=f"sqlite:///{self.directory / 'x.db'}", PROMPTADMIN_DATA_DIR=str(self.directory / "data"),
            AUTH_TOKEN=TOKEN, PROMPTADMIN_PLUGINS=PLUGINS,
        )  # fmt: skip
        command = [sys.executable, "manage.py", "serve", "--workers", "1", "--port", str(self.port)]
        with (self.directory / "serve.log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while True:
            try:
                with JsonClient(self.address, TOKEN) as api:
                    api.send("GET", "/api/health")
                return
            except OSError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
                time.sleep(0.1)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def move(self, version: int) -> None:
        with JsonClient(self.address, TOKEN) as api:
            answer = api.send("PUT", f"/api/prompts/{NAME}/labels/production", {"version": version})
            assert answer.status == 200, answer


@contextmanager
def _program(address: str) -> Iterator[subprocess.Popen[str]]:
    variables = environment(ADDRESS=address, TOKEN=TOKEN, PYTHONDONTWRITEBYTECODE="1")
    command = [str(CLIENTS_PYTHON), str(PROGRAMS / "goes_on.py")]
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as program:
        try:
            yield program
        finally:
            program.kill()


@pytest.fixture
def server(tmp_path: Path, new_file: bytes) -> Iterator[Server]:
    (tmp_path / "x.db").write_bytes(new_file)
    server = Server(tmp_path)
    server.start()
    try:
        with JsonClient(server.address, TOKEN) as api:
            for text in ("Hello {{x}}", "Hi {{x}}"):
                assert api.send("PUT", f"/api/prompts/{NAME}", {"text": text}).status in (200, 201)
        server.move(1)
        yield server
    finally:
        server.kill()


@needs_clients
def test_langfuses_sdk_openfeature_and_our_own_client_go_on(server: Server, tmp_path: Path) -> None:
    prompts = ours.PromptClient(server.address, TOKEN, ttl=TTL, timeout=5, cache_dir=tmp_path / "cache")
    assert (prompts.get(NAME).version, prompts.get(NAME).source) == (1, "memory")
    with _program(server.address) as program:
        assert program.stdin
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
        server.kill()
        program.stdin.write("away\n")
        time.sleep(TTL)
        assert (prompts.get(NAME).version, prompts.get(NAME).source) == (1, "memory")
        fresh = ours.PromptClient(server.address, TOKEN, ttl=TTL, cache_dir=tmp_path / "cache")
        assert (fresh.get(NAME).version, fresh.get(NAME).source) == (1, "disk")
        assert prompts.get("support/other", fallback="Hello {{x}}").compile(x="Ana") == "Hello Ana"
        assert program.stdout.readline() == "went on\n"

        server.start()
        server.move(2)
        moved = time.monotonic()
        program.stdin.write("back\n")
        while prompts.get(NAME).version != 2:
            # After a failure nobody waits for the server for so long.
            assert time.monotonic() - moved < TTL + ours.PAUSE + 5
            time.sleep(0.05)
        assert program.stdout.readline() == "seen\n"
        assert program.wait(30) == 0
