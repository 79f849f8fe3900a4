"""MLflow's prompt registry, through its functions and its client."""

import os
import sys
import time

os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_TRACKING_TOKEN"] = os.environ["ADDRESS"], os.environ["TOKEN"]
import mlflow
import requests
from mlflow.exceptions import MlflowException

HEADERS = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
NAME = "mlflow.refund"
genai, client = mlflow.genai, mlflow.MlflowClient()


def refused(call, code):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, error
    else:
        raise AssertionError("not refused")


# The first version makes the prompt, the next ones belong to it.
first = genai.register_prompt(
    NAME, "Hello {{x}}", commit_message="first", tags={"team": "support"},
    model_config={"model_name": "m", "temperature": 0.1}, response_format={"type": "object"},
)  # fmt: skip
assert (first.version, first.commit_message) == (1, "first")
assert genai.register_prompt(NAME, "Hi {{x}}").version == 2
genai.set_prompt_alias(NAME, "production", 1)
found = genai.load_prompt(f"prompts:/{NAME}@production")
assert (found.version, found.template, found.format(x="Ana")) == (1, "Hello {{x}}", "Hello Ana")
assert (found.model_config, found.response_format) == ({"model_name": "m", "temperature": 0.1}, {"type": "object"})
assert (found.commit_message, found.aliases, found.tags["team"]) == ("first", ["production"], "support")
assert genai.load_prompt(NAME, version=2).model_config is None
assert genai.load_prompt(NAME).version == 2

# A move is seen after the time for which the client keeps an alias.
uri = f"prompts:/{NAME}@production"
assert genai.load_prompt(uri, cache_ttl_seconds=1).version == 1
client.set_prompt_alias(NAME, "production", 2)
time.sleep(1.1)
assert genai.load_prompt(uri, cache_ttl_seconds=1).version == 2
genai.delete_prompt_alias(NAME, "production")
refused(lambda: genai.load_prompt(uri, cache_ttl_seconds=0), "RESOURCE_DOES_NOT_EXIST")

# Chats.
messages = [{"role": "system", "content": "Be {{how}}."}, {"role": "user", "content": "{{x}}"}]
assert genai.register_prompt("mlflow.chat", messages).template == messages
assert genai.load_prompt("mlflow.chat").format(how="kind", x="?")[0] == {"role": "system", "content": "Be kind."}

# Lists and tags.
assert {prompt.name for prompt in genai.search_prompts("name LIKE 'mlflow.%'")} == {NAME, "mlflow.chat"}
assert {prompt.name for prompt in genai.search_prompts("tags.team = 'support'")} == {NAME}
assert NAME in {prompt.name for prompt in genai.search_prompts()}
assert [int(version.version) for version in client.search_prompt_versions(NAME)] == [2, 1]
genai.set_prompt_tag(NAME, "k", "v")
assert client.get_prompt(NAME).tags["k"] == "v"
genai.delete_prompt_tag(NAME, "k")
assert "k" not in client.get_prompt(NAME).tags

# A name in a folder, which MLflow shows with a dot.
path = f"{os.environ['ADDRESS']}/api/prompts/mlflow/folder"
requests.put(path, json={"text": "In a folder", "labels": ["production"]}, headers=HEADERS, timeout=30)
assert genai.load_prompt("prompts:/mlflow.folder@production").template == "In a folder"
assert genai.register_prompt("mlflow.folder", "Again").version == 2

# What there isn't, and what can't be.
assert genai.load_prompt("mlflow.none", allow_missing=True) is None
refused(lambda: genai.load_prompt(NAME, version=9), "RESOURCE_DOES_NOT_EXIST")
refused(lambda: genai.set_prompt_version_tag(NAME, 1, "k", "v"), "INVALID_PARAMETER_VALUE")
refused(lambda: client.delete_prompt_version(NAME, "1"), "INVALID_PARAMETER_VALUE")
refused(lambda: genai.register_prompt("mlflow.bad", [{"role": "wizard", "content": "x"}]), "INVALID_PARAMETER_VALUE")
assert genai.load_prompt("mlflow.bad", allow_missing=True) is None
refused(lambda: client.create_registered_model("mlflow.model"), "INVALID_PARAMETER_VALUE")
client.delete_prompt(NAME)
assert client.get_prompt(NAME) is None
sys.stdout.flush()
os._exit(0)  # not waiting for threads that link prompts to experiments
