"""Runs wrk, the load generator, and reads what its script `load.lua` prints."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
MISSING = "wrk, the load generator, is not on the PATH: on Debian and Ubuntu, `apt-get install wrk` brings it"


class LoadError(Exception):
    """wrk is absent or failed; the text says what to do."""


@dataclass(frozen=True)
class Load:
    """What came back: answers with 2xx, all others, answers a second, and latencies in milliseconds."""

    answered: int
    errors: int
    per_second: float
    p50_ms: float
    p99_ms: float


def require() -> None:
    """Raise LoadError where wrk is absent."""
    if not shutil.which("wrk"):
        raise LoadError(MISSING)


def load(
    url: str,
    *,
    seconds: float,
    clients: int,
    headers: Mapping[str, str],
    bodies: Path | None = None,
    skip: int = 0,
    paths: Path | None = None,
) -> Load:
    """Ask for one address for so long, over persistent connections, each asking again when it is answered.

    With `bodies`, POST the lines of this file, from line `skip` on, each once before any comes again; with `paths`, GET
    each of its lines so. Raises LoadError.
    """
    require()
    command = ["wrk", "--threads", "1", "--connections", str(clients), "--duration", f"{max(1, round(seconds))}s"]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    command += ["--timeout", "30s", "--script", str(SCRIPT), url]
    if bodies or paths:
        command += ["--", str(bodies or paths), str(skip), "POST" if bodies else "GET"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise LoadError(f"wrk failed ({done.returncode}): {(done.stderr or done.stdout).strip()[-500:]}")
    said = json.loads(lines[-1])
    answered = said["requests"] - said["refused"]
    return Load(
        answered, said["refused"] + said["broken"], answered / said["seconds"], said["p50"] / 1000, said["p99"] / 1000
    )
