"""Requests made up from the OpenAPI document: whatever comes in, what goes out is what the document promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.adopted_database import AdoptedDatabase
from tests.support.processes import REPOSITORY
from tests.support.rounds import MADE_UP_REQUESTS
from tests.support.servers import Site, serving

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "ignored_auth",
    "use_after_free",
)
# Those two answer 501 without a plugin, which counts as a server error; the third takes JSON Lines, which can't be made
# up from a schema: its own tests send wild lines.
LEFT_OUT = ("optimize", "retry_run", "import_runs")
TOKEN = "made-up"


def send_made_up_requests(site: Site, directory: Path, *arguments: str) -> None:
    """Fails with the requests that were answered against the document."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(REPOSITORY / "docs" / "openapi.json")]
    command += ["--url", site.address, "--checks", ",".join(CHECKS), "--max-examples", str(MADE_UP_REQUESTS)]
    command += ["--seed", "7"]
    command += [f"--exclude-operation-id={name}" for name in LEFT_OUT]
    command += ["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_no_answer_leaves_the_document(tmp_path: Path, adopted_demo: bytes) -> None:
    """Without a token nothing is written; as administrator there is no 5xx, and every body is in its schema."""
    database = AdoptedDatabase(tmp_path / "demo.db", adopted_demo)
    with serving(tmp_path, database.url, "--no-upkeep", AUTH_TOKEN=TOKEN) as site:
        before = database.rows()
        # Every answer is 401 or 429, whatever the values: those at the limits of each parameter tell nothing more.
        most = str(max(1, min(MADE_UP_REQUESTS // 3, 100)))
        send_made_up_requests(site, tmp_path, "--max-examples", most, "--phases", "examples,fuzzing")
        assert database.rows() == before
        assert before["optimizations"]
        send_made_up_requests(site, tmp_path, "--header", f"Authorization: Bearer {TOKEN}")
