"""A client that a public generator makes from the OpenAPI document type-checks and works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.processes import REPOSITORY, environment
from tests.support.servers import serving

TOKEN = "generated"
# The generator knows no JSON Lines; the other settings spare it a project around the package.
SETTINGS = """
project_name_override: client
package_name_override: promptadmin_client
content_type_overrides:
  application/x-ndjson: application/octet-stream
post_hooks: []
"""
EXAMPLE = """
import sys
from promptadmin_client import AuthenticatedClient
from promptadmin_client.api.optimizations import record_run
from promptadmin_client.api.projects import create_project, list_projects
from promptadmin_client.models import ProjectCreateIn, ProjectListOut, ProjectOut, RunOut, RunRecordIn

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2], raise_on_unexpected_status=True)
project = create_project.sync(client=client, body=ProjectCreateIn(name="Generated"))
assert isinstance(project, ProjectOut)
page = list_projects.sync(client=client, search="generated")
assert isinstance(page, ProjectListOut)
assert [item.id for item in page.items] == [project.id]
run = record_run.sync(client=client, body=RunRecordIn(raw_prompt="Sort it.", project="Generated"))
assert isinstance(run, RunOut)
assert run.project_id == project.id
"""


def run(*command: str, directory: Path) -> None:
    done = subprocess.run(
        command, cwd=directory, env=environment(), capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_a_generated_client_type_checks_and_runs_the_example(tmp_path: Path, new_file: bytes) -> None:
    (tmp_path / "new.db").write_bytes(new_file)
    (tmp_path / "generator.yml").write_text(SETTINGS)
    document = str(REPOSITORY / "docs" / "openapi.json")
    run(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--meta", "none"),
        *("--config", "generator.yml", "--output-path", "promptadmin_client", "--fail-on-warning"),
        directory=tmp_path,
    )
    (tmp_path / "example.py").write_text(EXAMPLE)
    run(
        *(sys.executable, "-m", "mypy", "--config-file", "", "--cache-dir", ".mypy_cache"),
        *("example.py", "promptadmin_client"),
        directory=tmp_path,
    )
    with serving(tmp_path, f"sqlite:///{tmp_path / 'new.db'}", "--no-upkeep", AUTH_TOKEN=TOKEN) as site:
        run(sys.executable, "example.py", site.address, TOKEN, directory=tmp_path)
