"""Each client fetches a prompt through nginx with the site of `deploy/`, by TLS, though its name has a slash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.requests_to import JsonClient
from tests.http.test_behind_nginx import TOKEN, Front, fronting
from tests.projects.contrib.clients.conftest import run_program
from tests.support.services import needs_clients, needs_nginx, needs_node_clients

NAME, TEXT = "support/refund.v2/short", "Hello from behind nginx"
pytestmark = needs_nginx


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Front]:
    with fronting(tmp_path_factory.mktemp("front"), new_file) as front:
        with JsonClient(front.site.address, TOKEN) as api:
            content = {"text": TEXT, "labels": ["production"]}
            saved = api.send("PUT", f"/api/prompts/{NAME}", content, **{"X-Forwarded-Proto": "https"})
            assert saved.status == 201, saved
        yield front


@pytest.mark.parametrize(
    ("program", "client"),
    [
        *(pytest.param("fetches.py", name, marks=needs_clients) for name in ("langfuse", "mlflow", "phoenix", "ofrep")),
        pytest.param("fetches.cjs", "langfuse", marks=needs_node_clients),
    ],
)
def test_a_prompt_in_a_folder_is_fetched(program: str, client: str, front: Front, tmp_path: Path) -> None:
    certificate = str(front.directory / "fullchain.pem")
    trusting = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), certificate)
    address = f"https://127.0.0.1:{front.secure}"
    said = run_program(program, tmp_path, ADDRESS=address, TOKEN=TOKEN, NAME=NAME, CLIENT=client, **trusting)
    assert said.splitlines()[-1] == TEXT
