"""Programs that fetch a prompt with the clients of other products, to be copied from its page."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.conf import settings

from projects.contrib.clients.apps import CLIENTS
from projects.contrib.clients.dotted import dotted
from projects.contrib.registry.names import LATEST
from promptadmin.backoffice.code_snippets import Snippet

LANGFUSE = """\
import os

from langfuse import Langfuse

langfuse = Langfuse(
    public_key="any", secret_key=os.environ["TOKEN"], host={host}, tracing_enabled=False
)
prompt = langfuse.get_prompt({name}, label={label}{chat})
print(prompt.prompt)
"""
MLFLOW = """\
import os

os.environ["MLFLOW_TRACKING_URI"] = {host}
os.environ["MLFLOW_TRACKING_TOKEN"] = os.environ["TOKEN"]
import mlflow

prompt = mlflow.genai.load_prompt({address})
print(prompt.template)
"""
PHOENIX = """\
import os

from phoenix.client import Client

prompts = Client(base_url={host}, api_key=os.environ["TOKEN"]).prompts
prompt = prompts.get(prompt_identifier={dotted}{tag})
print(prompt)
"""
OFREP = """\
import os

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

headers = {{"Authorization": "Bearer " + os.environ["TOKEN"]}}
api.set_provider(OFREPProvider({host}, headers_factory=lambda: headers))
context = EvaluationContext("user-1", {{"label": {label}}})
print(api.get_client().get_object_value({name}, {{"text": "what to use without an answer"}}, context))
"""
LITELLM = """\
prompts:
  - prompt_id: {name}
    litellm_params:
      prompt_id: {name}
      prompt_integration: generic_prompt_management
      provider_specific_query_params: {parameters}
      api_base: {host}
      api_key: os.environ/TOKEN
"""
#: Of each client: what its snippet is called, and the program.
PROGRAMS = {
    "langfuse": ("Langfuse", LANGFUSE),
    "mlflow": ("MLflow", MLFLOW),
    "phoenix": ("Phoenix", PHOENIX),
    "ofrep": ("OpenFeature", OFREP),
    "litellm": ("LiteLLM's configuration", LITELLM),
}


def snippets(host: str, name: str, label: str, kind: str) -> list[Snippet]:
    """A program for each client that is served, with the name as that client has it."""
    texts: Mapping[str, str] = {
        "host": host,
        "name": name,
        "label": label,
        "dotted": dotted(name),
        "address": f"prompts:/{dotted(name)}@{label}",
    }
    quoted = {key: json.dumps(text) for key, text in texts.items()}
    quoted |= {
        "chat": ', type="chat"' if kind == "chat" else "",
        "tag": "" if label == LATEST else f", tag={quoted['label']}",
        "parameters": json.dumps({"label": label}),
    }
    served = settings.CLIENTS or CLIENTS
    return [
        Snippet(f"client-{client}", title, program.format(**quoted))
        for client, (title, program) in PROGRAMS.items()
        if client in served
    ]
