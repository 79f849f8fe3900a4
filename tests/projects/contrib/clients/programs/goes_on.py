"""Programs of Langfuse's SDK and OpenFeature while their server goes away, and comes back with a moved label.

A line comes in when the server is away, and another when it is back.
"""

import os
import sys
import time

from langfuse import Langfuse
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

ADDRESS, TOKEN, NAME = os.environ["ADDRESS"], os.environ["TOKEN"], "support/refund"
langfuse = Langfuse(public_key="any", secret_key=TOKEN, host=ADDRESS, tracing_enabled=False)
api.set_provider(OFREPProvider(ADDRESS, headers_factory=lambda: {"Authorization": f"Bearer {TOKEN}"}))
flags = api.get_client()


def prompt():
    return langfuse.get_prompt(NAME, cache_ttl_seconds=1, max_retries=0, fetch_timeout_seconds=5)


def flag():
    return flags.get_object_value(NAME, {"version": "default"}, EvaluationContext("user-1"))["version"]


assert (prompt().version, flag()) == (1, 1)
print("ready", flush=True)
sys.stdin.readline()
time.sleep(1.1)
assert (prompt().version, flag()) == (1, "default")
assert langfuse.get_prompt("support/other", fallback="Hello", max_retries=0).is_fallback
print("went on", flush=True)
sys.stdin.readline()
began = time.monotonic()
assert flag() == 2
while prompt().version != 2:
    assert time.monotonic() - began < 10
    time.sleep(0.1)
print("seen", flush=True)
