"""A real server behind Caddy with the site of `deploy/`, without TLS: its certificates come from elsewhere."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.caddy import caddyfile
from tests.support.ports import free_port
from tests.support.servers import serving
from tests.support.services import needs_caddy

TOKEN = "behind"
pytestmark = needs_caddy


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[int]:
    directory, port = tmp_path_factory.mktemp("caddy"), free_port()
    (directory / "x.db").write_bytes(new_file)
    plugins = "projects,optimizations,registry,clients"
    variables: dict[str, Any] = {
        "AUTH_TOKEN": TOKEN,
        "PROMPTADMIN_PLUGINS": plugins,
        "PROMPTADMIN_TRUSTED_PROXIES": "127.0.0.1",
    }
    with serving(directory, f"sqlite:///{directory / 'x.db'}", "--no-upkeep", **variables) as site:
        text = caddyfile().replace("prompts.example.com", f"http://127.0.0.1:{port}")
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{urlsplit(site.address).port}")
        configuration = directory / "Caddyfile"
        configuration.write_text("{\n\tadmin off\n" + text.partition("\n{\n")[2])
        with (directory / "caddy.log").open("w") as log:
            command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(configuration)]
            environment = {"HOME": str(directory), "PATH": "/usr/bin:/usr/local/bin:/bin"}
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait_for(port, process, directory / "caddy.log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert _asked(port, "/livez")[0] == 200
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def _asked(port: int, path: str) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("name", ["no/such", "no%2Fsuch", "no%2fsuch"])
def test_names_with_slashes_arrive_encoded_or_not(name: str, port: int) -> None:
    status, ours = _asked(port, f"/api/prompts/{name}")
    assert (status, json.loads(ours)) == (404, {"detail": "Prompt not found: no/such"})
    status, langfuse = _asked(port, f"/api/public/v2/prompts/{name}")
    assert (status, json.loads(langfuse)["message"]) == (404, "Prompt not found: no/such")
