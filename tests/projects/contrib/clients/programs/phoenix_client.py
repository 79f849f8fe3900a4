"""Phoenix's client."""

import os

import httpx
from phoenix.client import Client
from phoenix.client.types import PromptVersion

ADDRESS, TOKEN = os.environ["ADDRESS"], os.environ["TOKEN"]
NAME = "phoenix.refund"
prompts = Client(base_url=ADDRESS, api_key=TOKEN).prompts
chat = [{"role": "system", "content": "Be {{how}}."}, {"role": "user", "content": "{{x}}"}]
made = prompts.create(
    name=NAME,
    version=PromptVersion(chat, model_name="m", model_provider="ANTHROPIC", description="first"),
    prompt_description="For refunds",
)
second = prompts.create(name=NAME, version=PromptVersion(chat[1:], model_name="m", template_format="MUSTACHE"))
assert made.id != second.id
prompts.tags.create(prompt_version_id=made.id, name="production", description="it works")
assert [tag["name"] for tag in prompts.tags.list(prompt_version_id=made.id)] == ["production"]

found = prompts.get(prompt_identifier=NAME, tag="production")
assert (found.id, found._model_provider, found._model_name, found._description) == (made.id, "ANTHROPIC", "m", "first")
assert prompts.get(prompt_identifier=NAME).id == second.id
assert prompts.get(prompt_version_id=made.id).id == made.id
formatted = prompts.get(prompt_identifier=NAME).format(variables={"x": "?"})
assert formatted.messages == [{"role": "user", "content": "?"}], formatted

# A move is seen at once: this client keeps nothing.
prompts.tags.create(prompt_version_id=second.id, name="production")
assert prompts.get(prompt_identifier=NAME, tag="production").id == second.id

# A text of another client, in a folder.
body = {"text": "Hello {{x}}", "config": {"model": "m", "temperature": 0.5}, "labels": ["production"]}
headers = {"Authorization": f"Bearer {TOKEN}"}
httpx.put(f"{ADDRESS}/api/prompts/phoenix/text", json=body, headers=headers).raise_for_status()
formatted = prompts.get(prompt_identifier="phoenix.text", tag="production").format(variables={"x": "Ana"})
assert formatted.messages == [{"role": "user", "content": "Hello Ana"}]
assert (formatted.kwargs["model"], formatted.kwargs["temperature"]) == ("m", 0.5)

assert prompts.update(prompt_identifier=NAME, prompt_description="New")["description"] == "New"
listed = httpx.get(f"{ADDRESS}/v1/prompts?limit=1", headers=headers).json()
assert (len(listed["data"]), bool(listed["next_cursor"])) == (1, True)
versions = httpx.get(f"{ADDRESS}/v1/prompts/{NAME}/versions", headers=headers).json()["data"]
assert [version["id"] for version in versions] == [second.id, made.id]


def refused(call, *words):
    try:
        call()
    except (ValueError, httpx.HTTPStatusError) as error:
        assert any(word in f"{error} {getattr(error, 'response', None) and error.response.text}" for word in words)
    else:
        raise AssertionError(words)


refused(lambda: prompts.get(prompt_identifier=NAME, tag="nowhere"), "not found")
refused(lambda: prompts.get(prompt_identifier="phoenix.none"), "not found")
refused(lambda: prompts.create(name=NAME, version=second, prompt_metadata={"a": 1}), "metadata")
prompts.delete(prompt_identifier=NAME)
refused(lambda: prompts.get(prompt_identifier=NAME), "not found")
