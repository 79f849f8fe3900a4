"""Runs a program as a process of its own and says what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: ru_maxrss counts KiB, on macOS bytes.
RSS_PER_MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10


class ProcessError(Exception):
    """A measured program failed; the text says which one and what it wrote."""


@dataclass(frozen=True)
class Measured:
    """A finished process: wall seconds, those that it computed, its largest resident memory in MiB, what it printed."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: str


def run_python(arguments: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Measured:
    """Run this Python with these arguments from the project's directory, and wait for it.

    The peak can't be below that of the calling process, which a new process shares until it loads its program: keep
    that one small. Raises ProcessError on another exit status than 0. An exception ends the process first.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=output, stderr=errors
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace").strip().splitlines()[-10:]
            raise ProcessError(f"{' '.join(arguments)} failed ({process.returncode}):\n" + "\n".join(tail))
        output.seek(0)
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Measured(seconds, cpu_seconds, usage.ru_maxrss / RSS_PER_MEBIBYTE, output.read().decode())
