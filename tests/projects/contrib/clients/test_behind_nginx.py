"""All that each client does, and a name with a slash, through nginx with the site of `deploy/`, by TLS."""

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
    # Uncounted: what was fetched lately can't be deleted, and these clients have no word for `force`.
    with fronting(tmp_path_factory.mktemp("front"), new_file, PROMPTADMIN_FETCH_SECONDS="0") as front:
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
    said = run_through(front, program, tmp_path, NAME=NAME, CLIENT=client)
    assert said.splitlines()[-1] == TEXT


@pytest.mark.parametrize(
    "program",
    [
        *(
            pytest.param(name, marks=needs_clients)
            for name in (
                "langfuse_sdk.py", "mlflow_prompts.py", "phoenix_client.py", "ofrep_provider.py", "litellm_manager.py"
            )
        ),
        *(pytest.param(name, marks=needs_node_clients) for name in ("langfuse_3.cjs", "langfuse_client.cjs")),
    ],
)  # fmt: skip
def test_a_client_works_as_without_it(program: str, front: Front, tmp_path: Path) -> None:
    run_through(front, program, tmp_path)


def run_through(front: Front, program: str, directory: Path, **variables: str) -> str:
    """What a program says that trusts the certificate of nginx."""
    certificate = str(front.directory / "fullchain.pem")
    trusting = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), certificate)
    address = f"https://127.0.0.1:{front.secure}"
    return run_program(program, directory, ADDRESS=address, TOKEN=TOKEN, **trusting, **variables)
