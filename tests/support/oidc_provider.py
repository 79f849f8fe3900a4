"""A provider of OpenID Connect as a process of its own: `python -m tests.support.oidc_provider PORT`.

It is oidc-provider-mock with what that leaves out: it checks PKCE, and answers `prompt=none`
for whoever signed in last.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.ports import free_port
from tests.support.processes import REPOSITORY

if TYPE_CHECKING:
    from flask import Flask

START_SECONDS = 30


@dataclass
class Provider:
    """A running provider, as those who look after it see it."""

    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.support.oidc_provider", str(self.port)]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def set_user(self, subject: str, **claims: Any) -> None:
        """What it tells of a user from now on."""
        data = json.dumps(claims).encode()
        request = urllib.request.Request(
            f"{self.issuer}/users/{subject}", data, {"Content-Type": "application/json"}, method="PUT"
        )
        urllib.request.urlopen(request, timeout=10).close()

    def forget_sign_in(self) -> None:
        """End the session that somebody has at the provider."""
        urllib.request.urlopen(f"{self.issuer}/test/forget", b"", timeout=10).close()


@contextlib.contextmanager
def providing() -> Iterator[Provider]:
    provider = Provider(free_port())
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def application() -> Flask:
    """The WSGI application."""
    import oidc_provider_mock  # type: ignore[import-untyped]
    from flask import request

    app: Flask = oidc_provider_mock.app(require_nonce=True)
    challenges: dict[str, str] = {}
    signed_in: list[str] = []

    @app.before_request
    def answer_at_once() -> Any:
        if (request.method, request.path) != ("GET", "/oauth2/authorize") or "prompt" not in request.args:
            return None
        if signed_in:
            asked = request.full_path.replace("prompt=none", "")
            with app.test_client() as client:
                return client.post(asked, data={"sub": signed_in[-1]}, base_url=request.host_url)
        query = urlencode({"error": "login_required", "state": request.args["state"]})
        return "", 302, {"Location": f"{request.args['redirect_uri']}?{query}"}

    @app.before_request
    def check_verifier() -> Any:
        if request.path == "/oauth2/token":
            digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
            if challenges.pop(request.form["code"], "") != urlsafe_b64encode(digest).decode().rstrip("="):
                return {"error": "invalid_grant"}, 400
        return None

    @app.after_request
    def note_challenge(response: Any) -> Any:
        code = parse_qs(urlsplit(response.headers.get("Location", "")).query).get("code")
        if request.path == "/oauth2/authorize" and code:
            assert request.args["code_challenge_method"] == "S256"
            challenges[code[0]] = request.args["code_challenge"]
            if "sub" in request.form:
                signed_in.append(request.form["sub"])
        return response

    @app.post("/test/forget")
    def forget() -> str:
        signed_in.clear()
        return ""

    return app


def main() -> None:
    from werkzeug.serving import make_server

    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    make_server("127.0.0.1", int(sys.argv[1]), application(), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
