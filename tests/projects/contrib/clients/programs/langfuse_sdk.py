"""Langfuse's SDK: what a program does that uses it."""

import os
import time

from langfuse import Langfuse
from langfuse.api import Error, NotFoundError, UnauthorizedError

ADDRESS, TOKEN = os.environ["ADDRESS"], os.environ["TOKEN"]
NAME = "langfuse/refund"
client = Langfuse(public_key="any", secret_key=TOKEN, host=ADDRESS, tracing_enabled=False)
assert client.auth_check()

# Texts, with config, labels, tags and a message.
made = client.create_prompt(
    name=NAME, prompt="Hello {{customer}}", labels=["production"], tags=["support"],
    config={"model": "m", "temperature": 0.1}, commit_message="first",
)  # fmt: skip
assert (made.version, sorted(made.labels)) == (1, ["latest", "production"])
second = client.create_prompt(name=NAME, prompt="Hi {{customer}}", labels=["staging"])
assert second.version == 2

found = client.get_prompt(NAME)
assert (found.name, found.version, found.config) == (NAME, 1, {"model": "m", "temperature": 0.1})
assert (found.compile(customer="Ana"), found.tags, found.commit_message) == ("Hello Ana", ["support"], "first")
assert client.get_prompt(NAME, label="staging").prompt == "Hi {{customer}}"
assert client.get_prompt(NAME, version=2).config == {}
assert client.get_prompt(NAME, label="latest").version == 2
assert client.get_prompt(NAME, label="latest").labels == ["staging", "latest"]

# A move is seen after the time for which the client keeps a prompt.
assert client.get_prompt(NAME, cache_ttl_seconds=1).version == 1
moved = client.update_prompt(name=NAME, version=2, new_labels=["production"])
assert sorted(client.api.prompts.get(NAME.replace("/", "%2F")).labels) == ["production", "staging"]
client.get_prompt(NAME, cache_ttl_seconds=0)
began = time.monotonic()
while client.get_prompt(NAME, cache_ttl_seconds=1).version != 2:
    assert time.monotonic() - began < 10
    time.sleep(0.1)

# Chats with placeholders.
chat = [
    {"role": "system", "content": "You help {{shop}}."},
    {"type": "placeholder", "name": "history"},
    {"role": "user", "content": "user:\n{{question}}"},
]
client.create_prompt(name="langfuse/chat", type="chat", prompt=chat, labels=["production"])
compiled = client.get_prompt("langfuse/chat", type="chat").compile(
    shop="Foo", question="Why?", history=[{"role": "assistant", "content": "Hello"}]
)
assert compiled == [
    {"role": "system", "content": "You help Foo."},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "user:\nWhy?"},
]

# Lists.
page = client.api.prompts.list(limit=1, page=2, label="production", tag=None)
assert (page.meta.page, page.meta.limit, page.meta.total_pages) == (2, 1, page.meta.total_items)
(listed,) = client.api.prompts.list(name=NAME).data
assert (listed.name, listed.versions, listed.last_config, listed.tags) == (NAME, [1, 2], {}, ["support"])
assert sorted(listed.labels) == ["latest", "production", "staging"]
assert not client.api.prompts.list(name=NAME, from_updated_at=listed.last_updated_at.replace(year=2100)).data
assert client.api.prompts.list(name=NAME, from_updated_at=listed.last_updated_at).meta.total_items == 1

# What there isn't: an error of the SDK's own, or the fallback.
for wrong in ({"label": "nowhere"}, {"version": 9}):
    try:
        client.get_prompt(NAME, max_retries=0, **wrong)
    except NotFoundError as error:
        assert NAME in error.body["message"], error.body
    else:
        raise AssertionError(wrong)
fallback = client.get_prompt("langfuse/none", fallback="Hello {{x}}", max_retries=0)
assert (fallback.is_fallback, fallback.compile(x="y")) == (True, "Hello y")
for refused in (
    lambda: client.api.prompts.list(filter="[]"),
    lambda: client.api.prompts.delete(NAME.replace("/", "%2F"), version=1),
    lambda: client.update_prompt(name=NAME, version=1, new_labels=["latest"]),
):
    try:
        refused()
    except Error as error:
        assert error.status_code == 400, error
    else:
        raise AssertionError("not refused")
try:
    Langfuse(public_key="other", secret_key="wrong", host=ADDRESS, tracing_enabled=False).auth_check()
except UnauthorizedError:
    pass
else:
    raise AssertionError("let in")

client.api.prompts.delete(NAME.replace("/", "%2F"))
try:
    client.api.prompts.get(NAME.replace("/", "%2F"))
except NotFoundError:
    pass
else:
    raise AssertionError("still there")
