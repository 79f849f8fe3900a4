"""Each client fetches the same prompt, whose name has a slash, and says its text."""

import os
import sys

ADDRESS, TOKEN, NAME = os.environ["ADDRESS"], os.environ["TOKEN"], os.environ["NAME"]
DOTTED = NAME.replace("/", ".")  # as clients have it whose names have no folders


def langfuse():
    from langfuse import Langfuse

    client = Langfuse(public_key="any", secret_key=TOKEN, host=ADDRESS, tracing_enabled=False)
    return client.get_prompt(NAME, max_retries=0).prompt


def mlflow():
    os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_TRACKING_TOKEN"] = ADDRESS, TOKEN
    from mlflow import genai

    return genai.load_prompt(f"prompts:/{DOTTED}@production").template


def phoenix():
    from phoenix.client import Client

    prompt = Client(base_url=ADDRESS, api_key=TOKEN).prompts.get(prompt_identifier=DOTTED, tag="production")
    return prompt.format(variables={}).messages[0]["content"]


def ofrep():
    from openfeature import api
    from openfeature.contrib.provider.ofrep import OFREPProvider

    api.set_provider(OFREPProvider(ADDRESS, headers_factory=lambda: {"Authorization": f"Bearer {TOKEN}"}))
    return api.get_client().get_object_value(NAME, {"text": "the default"})["text"]


print(globals()[os.environ["CLIENT"]]())
sys.stdout.flush()
os._exit(0)  # not waiting for threads of the clients
