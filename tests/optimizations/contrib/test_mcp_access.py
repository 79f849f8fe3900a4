"""Who comes in to MCP over HTTP, and what those are told who don't."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from typing import Any

import pytest
from django.core.cache import cache

from optimizations.contrib.mcp import http
from promptadmin.accounts.tokens import create_token, revoke_token

# The gate asks from threads of its own, which see what is committed alone.
pytestmark = pytest.mark.django_db(transaction=True)


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def ask(method: str = "POST", authorization: str = "", request_id: str = "job-1") -> tuple[int, dict[str, str], Any]:
    """The gate's answer: status, headers, JSON."""
    headers = [(b"authorization", authorization.encode())] if authorization else []
    scope = {
        "type": "http", "method": method, "path": "/", "root_path": "/plugins/mcp", "query_string": b"",
        "headers": [*headers, (b"x-request-id", request_id.encode())],
        "client": ("127.0.0.1", 1), "http_version": "1.1",
        "server": ("localhost", 1), "scheme": "http",
    }  # fmt: skip
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    asyncio.run(http.TokenGate(inner)(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, json.loads(b"".join(message["body"] for message in sent[1:]))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "OPTIONS"])
@pytest.mark.parametrize("kind", ["nothing", "wrong", "revoked", "basic"])
def test_strangers_get_401_and_then_429(method: str, kind: str) -> None:
    secret = create_token(name="t", scopes=["read"])[1]
    assert ask(method, f"Bearer {secret}")[0] == 200
    if kind == "revoked":
        revoke_token("t")
    brought = {"nothing": "", "wrong": f"Bearer {secret}x", "revoked": f"Bearer {secret}", "basic": "Basic YTpi"}[kind]
    cache.clear()
    answers = [ask(method, brought) for _ in range(61)]
    assert [answer[0] for answer in answers] == [401] * 60 + [429]
    assert answers[0][1]["www-authenticate"] == "Bearer"
    assert int(answers[-1][1]["retry-after"]) > 0


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("on fire"), 500), (OSError(errno.ENOSPC, "on fire"), 507)])
def test_a_failure_is_one_entry_with_the_request_s_id(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(scope: Any) -> None:
        raise error

    monkeypatch.setattr(http, "_admit", fail)
    with caplog.at_level(logging.ERROR):
        answered, _, told = ask(request_id="job-7")
    assert answered == status
    assert told.get("request_id") == (None if status == 507 else "job-7")
    [record] = caplog.records
    assert "on fire" in record.getMessage()
    assert bool(record.exc_info) == (status == 500)
