"""docs/api.md says what is true: its examples run, from first to last, against a new server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.api.requests_to import JsonClient
from tests.support.processes import REPOSITORY
from tests.support.servers import Site, serving

TOKEN = "documented"
DOCUMENT = (REPOSITORY / "docs" / "api.md").read_text()


def blocks(language: str) -> str:
    """All code of one language, in order."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))


def test_every_example_runs(tmp_path: Path, new_file: bytes) -> None:
    """The token's command is the first that anybody runs."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    (tmp_path / "new.db").write_bytes(new_file)
    with serving(tmp_path, url, "--no-upkeep", AUTH_TOKEN=TOKEN) as site:
        open_by_a_new_token(site, url, tmp_path / "data")
        environment = {**os.environ, "BASE": site.address, "TOKEN": TOKEN}
        for command in (["bash", "-euo", "pipefail", "-c", blocks("bash")], [sys.executable, "-c", blocks("python")]):
            done = subprocess.run(
                command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
            )
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_every_resource_has_an_example_in_both_languages(tmp_path: Path) -> None:
    for section in re.split(r"^### ", DOCUMENT.split("## Examples")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        assert "```bash" in section, title
        assert "```python" in section, title


def open_by_a_new_token(site: Site, url: str, data_dir: Path) -> None:
    made = subprocess.run(
        [sys.executable, "manage.py", "create_api_token", "my program", "--scope", "read"],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": url, "PROMPTADMIN_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=True,
    )
    with JsonClient(site.address, made.stdout.strip()) as client:
        assert client.send("GET", "/api/projects").status == 200
