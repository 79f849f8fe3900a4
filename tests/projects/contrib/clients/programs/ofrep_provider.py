"""OpenFeature with its provider for OFREP."""

import os

import requests
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode

ADDRESS, HEADERS = os.environ["ADDRESS"], {"Authorization": f"Bearer {os.environ['TOKEN']}"}
NAME = "ofrep/refund"


def put(path, body):
    requests.put(f"{ADDRESS}/api/prompts/{path}", json=body, headers=HEADERS, timeout=30).raise_for_status()


put(NAME, {"text": "Hello {{x}}", "config": {"model": "m"}, "labels": ["production"]})
put(NAME, {"text": "Hi {{x}}", "labels": ["staging"]})
put("ofrep/chat", {"messages": [{"role": "user", "content": "Hi"}], "labels": ["production"]})
api.set_provider(OFREPProvider(ADDRESS, headers_factory=lambda: HEADERS))
client = api.get_client()


def evaluate(name=NAME, **context):
    return client.get_object_details(name, {"text": "fallback"}, EvaluationContext("user-1", context))


found = evaluate()
assert found.value == {"version": 1, "text": "Hello {{x}}", "config": {"model": "m"}}, found
assert (found.variant, found.reason, found.flag_metadata) == ("v1", "STATIC", {"label": "production"})
assert evaluate(label="staging", plan="gold").value["text"] == "Hi {{x}}"
assert evaluate(version=1).reason == "TARGETING_MATCH"
assert evaluate("ofrep/chat").value["messages"] == [{"role": "user", "content": "Hi"}]
missing = evaluate("ofrep/none")
assert (missing.value, missing.error_code) == ({"text": "fallback"}, ErrorCode.FLAG_NOT_FOUND)
put(f"{NAME}/labels/production", {"version": 2})
assert evaluate().value["version"] == 2  # asks each time
put(f"{NAME}/labels/production", {"weights": {"1": 50, "2": 50}})
assert (evaluate().reason, evaluate().variant) == ("SPLIT", evaluate().variant)
flags = requests.post(f"{ADDRESS}/ofrep/v1/evaluate/flags", json={"context": {"label": "staging"}}, headers=HEADERS)
assert NAME in [flag["key"] for flag in flags.json()["flags"]]
known = {**HEADERS, "If-None-Match": flags.headers["ETag"]}
assert requests.post(flags.url, json={"context": {"label": "staging"}}, headers=known).status_code == 304
