"""The OpenAPI document: complete, and the one that is checked in."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import call_command
from django.test import Client

from tests.support.processes import REPOSITORY

CHECKED_IN = REPOSITORY / "docs" / "openapi.json"
NO_BODY = {"204", "304"}


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_checked_in_document_is_the_served_one(client: Client) -> None:
    """`manage.py export_openapi docs/openapi.json` writes it anew after a change of the API."""
    served = client.get("/api/openapi.json").json()
    assert served == json.loads(CHECKED_IN.read_text())


def test_the_command_writes_what_is_served(client: Client, tmp_path: Any) -> None:
    call_command("export_openapi", str(tmp_path / "openapi.json"))
    assert (tmp_path / "openapi.json").read_bytes() == CHECKED_IN.read_bytes()


def test_every_operation_is_named_described_and_says_how_it_fails(client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    found = operations(document)
    assert len({operation["operationId"] for operation in found.values()}) == len(found)
    for name, operation in found.items():
        assert operation["summary"], name
        assert operation["tags"], name
        answers = operation["responses"]
        assert any(status.startswith("2") or status == "501" for status in answers), name
        if name != "GET /api/health":
            assert {"401", "403", "422", "429"} <= set(answers), name
        for status, answer in answers.items():
            assert status in NO_BODY or answer.get("content"), (name, status)


def test_every_request_and_answer_has_an_example(client: Client) -> None:
    """So that the documentation page shows real values instead of the words for their types."""
    document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]
    shown = ("'examples'", "'enum'", "'$ref'")
    assert [name for name, schema in schemas.items() if not any(word in str(schema) for word in shown)] == []


def test_examples_of_parameters_stand_where_readers_of_openapi_look(client: Client) -> None:
    """A list of `examples` belongs into the parameter's schema: beside it, only named examples are allowed."""
    document = client.get("/api/openapi.json").json()
    parameters = [p for operation in operations(document).values() for p in operation.get("parameters", [])]
    assert any("examples" in parameter["schema"] for parameter in parameters)
    assert not any("examples" in parameter for parameter in parameters)
