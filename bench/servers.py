"""The servers that are measured: `manage.py serve` with its default settings, and the bare one beside it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson

from bench.plain_lists import Work
from bench.process import ROOT, ProcessError, run_python
from optimizations.tools.selftest.ports import free_port

START_SECONDS = 120
STOP_SECONDS = 20
ANSWERS = http.client.OK


@dataclass(frozen=True)
class Server:
    """A running server: its port, the header that opens it, and its process."""

    port: int
    headers: Mapping[str, str]
    process: subprocess.Popen[bytes]
    database: Path

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def worker_ids(self) -> list[int]:
        """The processes that answer, children of the one that was started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
        return [pid for pid, command in commands.items() if "supervisor" not in command]


def environment(database: Path, data: Path) -> dict[str, str]:
    """Of this process, but with promptadmin's variables for this database and no others of them."""
    ours = ("PROMPTADMIN_", "DATABASE_", "DJANGO_", "AUTH_TOKEN", "RATE_LIMIT", "FRONTEND_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"DATABASE_URL": f"sqlite:///{quote(str(database))}", "PROMPTADMIN_DATA_DIR": str(data)}


def make_token(database: Path, data: Path) -> str:
    """The secret of a new API token with every scope."""
    scopes = [part for scope in ("read", "write", "admin") for part in ("--scope", scope)]
    made = run_python(["manage.py", "create_api_token", "bench", *scopes], environment=environment(database, data))
    found = re.search(r"\bpa_\w{8}_\S+", made.output)
    if found is None:
        raise ProcessError(f"create_api_token named no secret: {made.output}")
    return found[0]


@contextmanager
def serving(
    database: Path,
    data: Path,
    token: str,
    *,
    settings: str = "promptadmin.settings",
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """`manage.py serve` with its default settings, or another module's, or `variables`, from its first answer on."""
    command = ["manage.py", "serve", "--port"]
    headers = {"Authorization": f"Bearer {token}"}
    all_variables = environment(database, data) | {"DJANGO_SETTINGS_MODULE": settings} | dict(variables or {})
    with _running(command, all_variables, headers, database, data / "serve.log") as server:
        wait_for(server, "/api/history?per_page=1")
        yield server


@contextmanager
def serving_bare(
    database: Path, data: Path, works: Sequence[Work] = (), *, cache_size: int | None = None
) -> Iterator[Server]:
    """The bare view on the same server: Granian, with as many workers and threads; it does `works` at /list/NUMBER."""
    variables = dict(os.environ) | {"BENCH_DATABASE": str(database)}
    if works:
        kept = data / "bare-works.json"
        kept.write_bytes(orjson.dumps(works))
        variables["BENCH_WORKS"] = str(kept)
    if cache_size is not None:
        variables["BENCH_CACHE_SIZE"] = str(cache_size)
    with _running(["-m", "bench.bare"], variables, {}, database, data / "bare.log") as server:
        wait_for(server, "/history")
        yield server


def wait_for(server: Server, path: str) -> None:
    """Return when the server answers this path. Raises ProcessError when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=START_SECONDS)
            connection.request("GET", path, headers=dict(server.headers))
            status = connection.getresponse().status
            connection.close()
        except OSError:
            time.sleep(0.005)
            continue
        if status == ANSWERS:
            return
        raise ProcessError(f"{path} answered {status} instead of 200")
    raise ProcessError(f"the server of {server.database.name} didn't answer {path}: see its log in {ROOT}")


@contextmanager
def _running(
    command: Sequence[str], variables: Mapping[str, str], headers: Mapping[str, str], database: Path, log: Path
) -> Iterator[Server]:
    port = free_port()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command, str(port)], cwd=ROOT, env=variables, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Server(port, headers, process, database)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
