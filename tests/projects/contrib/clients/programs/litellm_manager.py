"""LiteLLM with its generic prompt management."""

import asyncio
import os

import requests

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
from litellm.integrations.generic_prompt_management.generic_prompt_manager import GenericPromptManager

ADDRESS, TOKEN = os.environ["ADDRESS"], os.environ["TOKEN"]
NAME = "litellm/refund"


def put(name, body):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    requests.put(f"{ADDRESS}/api/prompts/{name}", json=body, headers=headers, timeout=30).raise_for_status()


def manager(**parameters):
    return GenericPromptManager(
        api_base=ADDRESS, api_key=TOKEN, additional_provider_specific_query_params=parameters or None
    )


def compiled(name=NAME, source=None, **variables):
    return (source or manager())._compile_prompt_helper(name, None, variables, {})


put(NAME, {"text": 'Hello {{x}}, {"a": 1}', "config": {"model": "m", "temperature": 0.1}, "labels": ["production"]})
put(NAME, {"text": "Hi {{x}}", "labels": ["staging"]})
found = compiled(x="Ana")
assert found["prompt_template"] == [{"role": "user", "content": 'Hello Ana, {"a": 1}'}], found
assert (found["prompt_template_model"], found["prompt_template_optional_params"]) == ("m", {"temperature": 0.1})
staging = compiled(source=manager(label="staging"), x="Ana")
assert staging["prompt_template"][0]["content"] == "Hi Ana"
assert compiled(source=manager(version=2), x="Ana") == staging

chat = [{"role": "system", "content": "Be {{how}}."}, {"role": "user", "content": "{{x}}"}]
put("litellm/chat", {"messages": chat, "labels": ["production"]})
assert [message["content"] for message in compiled("litellm/chat", how="kind", x="?")["prompt_template"]] == [
    *("Be kind.", "?"),
]
asynchronous = asyncio.run(manager().async_compile_prompt_helper("litellm/chat", {"how": "short"}, {}))
assert asynchronous["prompt_template"][0]["content"] == "Be short."

put("litellm/history", {"messages": [{"type": "placeholder", "name": "history"}], "labels": ["production"]})
for name, status in (("litellm/none", "404"), ("litellm/history", "400")):
    try:
        compiled(name)
    except Exception as error:
        assert status in str(error), error
    else:
        raise AssertionError(name)
