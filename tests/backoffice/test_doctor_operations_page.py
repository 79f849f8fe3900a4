"""Every command of docs/operations.md is run, in the page's order, on one installation.

But `make install`, of which only that make knows it is seen, and with a single kill where the page has many.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promptadmin.ops.doctor.examining import doctor_checks
from tests.support.processes import REPOSITORY, environment
from tests.support.servers import serving

PAGE = (REPOSITORY / "docs" / "operations.md").read_text()
OURS = "promptadmin "


# Loads what every command loads once, and runs each in a process of its own.
RUNNER = """
import json, os, subprocess, sys
import django
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "promptadmin.settings"
django.setup()
import promptadmin.urls
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        code = 1
        try:
            execute_from_command_line(json.loads(line))
            code = 0
        except SystemExit as exit:
            code = exit.code or 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@contextlib.contextmanager
def operator(directory: Path) -> Iterator[Callable[[str], tuple[int, str]]]:
    """Runs a line of the page with this Python, and with a directory of the test's own for `data/`."""
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER],
        cwd=directory,
        env=environment(PROMPTADMIN_DATA_DIR=str(directory / "data")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(command: str) -> tuple[int, str]:
        words = shlex.split(command)
        if words[0] == "make":
            there = ["make", "--dry-run", "--directory", str(REPOSITORY), *words[1:]]
            done = subprocess.run(there, capture_output=True, text=True, check=False, timeout=60)
            return done.returncode, done.stderr
        assert command.startswith(OURS), command
        assert runner.stdin is not None
        assert runner.stdout is not None
        runner.stdin.write(json.dumps(words) + "\n")
        runner.stdin.flush()
        return int(runner.stdout.readline()), (directory / "output.txt").read_text()

    with runner:
        yield run


@pytest.mark.timeout(600)
def test_every_command_does_what_it_should(tmp_path: Path) -> None:
    with operator(tmp_path) as run:
        assert len(commands()) > 15
        for command in commands():
            if " serve " in command:
                (tmp_path / "server").mkdir()
                url = f"sqlite:///{tmp_path / 'data' / 'promptadmin.db'}"
                with serving(tmp_path / "server", url, PROMPTADMIN_DATA_DIR=str(tmp_path / "data")) as site:
                    assert site.user == "admin"
            else:
                code, output = run(command.replace("selftest --kill 50", "selftest --kill 1"))
                # The doctor warns where there is no backup yet, or SQLite has a known bug.
                assert code in ({0, 1} if " doctor" in command else {0}), (command, output)
    assert len(list((tmp_path / "data" / "backups").iterdir())) == 2
    assert len(list((tmp_path / "data").glob("*.before-restore-*.db"))) == 1


def test_the_page_names_only_checks_that_exist() -> None:
    assert set(re.findall(r"\bD\d{3}\b", PAGE)) <= {check.id for check in doctor_checks()}
