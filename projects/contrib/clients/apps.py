"""The addresses at which clients of other products ask for prompts, as a plugin."""

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from promptadmin.plugins.declarations import PluginConfig, RootApi


def _at(module: str, path: str, router: str = "router", name: str = "") -> RootApi:
    module, name = f"projects.contrib.clients.{module}", name or module
    return RootApi(name=name, path=path, router=f"{module}.{router}", error_body=f"{module}.error_body")


#: Each client's name, and what it asks.
CLIENTS = {
    "langfuse": [_at("langfuse", "api/public/")],
    "mlflow": [_at("mlflow", "api/2.0/mlflow/")],
    "ofrep": [_at("ofrep", "ofrep/v1/evaluate/")],
    "phoenix": [
        _at("phoenix", "v1/"),
        _at("phoenix", "arize_phoenix_version", "version_router", "phoenix_version"),
    ],
    "litellm": [_at("litellm", "beta/")],
}
if unknown := set(settings.CLIENTS) - set(CLIENTS):
    raise ImproperlyConfigured(
        f"PROMPTADMIN_CLIENTS: there is no client {sorted(unknown)[0]!r}: use some of {', '.join(CLIENTS)}."
    )


class ClientsConfig(PluginConfig):
    """Serves the clients that PROMPTADMIN_CLIENTS names: all, unless it says otherwise."""

    name = "projects.contrib.clients"
    label = "clients"
    verbose_name = "Clients of other products"
    requires_plugins = ("projects", "registry")
    name_snippets = "projects.contrib.clients.snippets.snippets"
    root_apis: ClassVar = [api for name in settings.CLIENTS or CLIENTS for api in CLIENTS[name]]
