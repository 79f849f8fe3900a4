"""PROMPTADMIN_CLIENTS switches each client alone."""

from __future__ import annotations

import json

from tests.projects.contrib.clients.conftest import PLUGINS
from tests.support.processes import Scratch


def test_only_the_named_clients_are_served(scratch: Scratch) -> None:
    listed = scratch.manage("plugins", "--json", PROMPTADMIN_PLUGINS=PLUGINS, PROMPTADMIN_CLIENTS="ofrep,phoenix")
    (clients,) = (plugin for plugin in json.loads(listed.stdout) if plugin["name"] == "clients")
    assert clients["contributes"]["APIs of other products"] == ["ofrep", "phoenix", "phoenix_version"]


def test_an_unknown_client_is_named(scratch: Scratch) -> None:
    refused = scratch.manage("plugins", PROMPTADMIN_PLUGINS=PLUGINS, PROMPTADMIN_CLIENTS="langfuse,opik")
    assert refused.returncode != 0
    assert "there is no client 'opik': use some of langfuse, mlflow, ofrep" in refused.stdout + refused.stderr
