"""docs/registry.md says what is true: a team's first day, run from its first command to its last on a new server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.processes import REPOSITORY
from tests.support.servers import serving

DOCUMENT = (REPOSITORY / "docs" / "registry.md").read_text()


def blocks(language: str) -> str:
    """All code of one language, in order."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))


def run(command: list[str], directory: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=variables, cwd=directory, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_first_day(tmp_path: Path, new_file: bytes) -> None:
    file, scripts = tmp_path / "new.db", tmp_path / "bin"
    file.write_bytes(new_file)
    scripts.mkdir()
    (scripts / "promptadmin").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m promptadmin "$@"\n')
    (scripts / "promptadmin").chmod(0o755)
    url = f"sqlite:///{file}"
    with serving(tmp_path, url, "--no-upkeep") as site:
        variables = {
            **os.environ,
            "BASE": site.address,
            "DATABASE_URL": url,
            "PROMPTADMIN_DATA_DIR": str(tmp_path / "data"),
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{REPOSITORY / 'clients' / 'python'}{os.pathsep}{REPOSITORY}",
        }
        told = run(["bash", "-euo", "pipefail", "-c", blocks("bash")], tmp_path, variables)
        assert '"text":"Answer Ana politely."' in told
        assert "refused: programs fetched it" in told
        assert '"count":' in told.split('"last_fetched_at"')[0]
        assert "1 prompt of 'production', as signed." in told
        told = run([sys.executable, "-c", blocks("python")], tmp_path, variables)
        assert told.splitlines() == ["Answer Ana politely."] * 2
