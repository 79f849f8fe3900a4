"""Whatever is logged, at every level, and shown in errors: no password and no token is in it."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tests.support.processes import Scratch
from tests.support.servers import serving

#: Each is sent somewhere below, or is in the server's environment.
PASSWORD = "adm-Kmtjhg-secret-1"
WRONG = "wrong-Jzuhbv-secret-2"
SHARED = "shared-Qpwoei-secret-3"
UNKNOWN = "pa_00000000_Lskdjf-secret-4"
AS_NAME = "typed-Mznxbc-secret-5"
SECRET_KEY = "Abcdefghij-secret-6-" * 5
SESSION = "Ywhzgt0session0secret0seven00000"
MODEL_KEY = "sk-Rtzqwa-secret-8"
IN_AN_ADDRESS = "Vbnghj-secret-9"
#: Sent in queries and as texts, too: who sent them may read them again in an error.
ECHOED = {"AUTH_TOKEN", "unknown token", "token"}
FORM = "application/x-www-form-urlencoded"


class Browser:
    """Asks a server, and keeps what it answers."""

    def __init__(self, address: str) -> None:
        self.host = address.removeprefix("http://")
        self.answers: list[str] = []

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        self.answers.append(answer.read().decode(errors="replace"))
        connection.close()
        return answer

    def sign_in(self, name: str, password: str) -> http.client.HTTPResponse:
        page = self.ask("GET", "/admin/login/")
        cookie = str(page.headers["Set-Cookie"]).split(";", 1)[0]
        form = {"username": name, "password": password, "csrfmiddlewaretoken": cookie.partition("=")[2]}
        return self.ask("POST", "/admin/login/?next=/admin/", urlencode(form), Cookie=cookie, Content_Type=FORM)


def test_no_secret_is_in_any_log_or_error(tmp_path: Path, new_file: bytes) -> None:
    """Signing in, tokens in headers, bodies and queries, failures among them, where most is logged and shown."""
    scratch = Scratch(tmp_path)
    scratch.database.write_bytes(new_file)
    variables: dict[str, Any] = {
        "PROMPTADMIN_ADMIN_PASSWORD": PASSWORD,
        "PROMPTADMIN_SECRET_KEY": SECRET_KEY,
        "AUTH_TOKEN": SHARED,
        "MIRROR_URL": f"https://me:{IN_AN_ADDRESS}@mirror.example/",
        "PROMPTADMIN_LOG_LEVEL": "DEBUG",
        "PROMPTADMIN_SESSION_COOKIE": "sessionid",
        "PROMPTADMIN_DEBUG": "1",
    }
    with serving(tmp_path, f"sqlite:///{scratch.database}", "--no-upkeep", **variables) as site:
        token = scratch.manage("create_api_token", "t", PROMPTADMIN_SECRET_KEY=SECRET_KEY).stdout.strip()
        assert token.startswith("pa_")
        browser = Browser(site.address)
        ask = browser.ask
        browser.sign_in("admin", WRONG)
        browser.sign_in(AS_NAME, WRONG)
        signed_in = str(browser.sign_in("admin", PASSWORD).headers)
        session = signed_in.partition("sessionid=")[2].partition(";")[0]
        browser.answers.clear()  # the form shows what was typed as a name
        assert ask("GET", "/admin/", Cookie=f"sessionid={session}").status == 200
        for secret in (token, SHARED, UNKNOWN):
            known = f"Bearer {secret}"
            ask("GET", "/api/projects", Authorization=known, X_LLM_API_Key=MODEL_KEY)
            ask("GET", "/api/projects", Authorization=secret)
            ask("GET", f"/api/projects?token={quote(secret)}&api_key={quote(secret)}&per_page=0")
            ask("GET", f"/nope?token={quote(secret)}", Authorization=known)
            ask("POST", "/api/projects", "[", Authorization=known, Content_Type="application/json")
            ask("POST", "/api/projects", json.dumps({"name": 1, "token": secret}), Authorization=secret)
            ask("POST", "/admin/login/", urlencode({"token": secret, "password": WRONG}), Content_Type=FORM)
            ask("GET", "/admin/", Cookie=f"sessionid={SESSION}", Authorization=known)
            ask("GET", "/admin/", Host="evil.example", Authorization=known, X_Api_Key=secret, X_LLM_API_Key=MODEL_KEY)
        refused = ask("GET", "/admin/", Host="evil.example", Cookie=f"sessionid={session}")
        assert refused.status == 400
        assert "MIRROR_URL" in browser.answers[-1], "the page shows the environment"
    log = (tmp_path / "serve.log").read_text()
    assert '"POST /admin/login/ HTTP/1.1" 302' in log, "nobody signed in"
    assert '"GET /nope HTTP/1.1" 404' in log, "queries aren't logged"
    secrets = {
        "password": PASSWORD,
        "wrong password": WRONG,
        "AUTH_TOKEN": SHARED,
        "unknown token": UNKNOWN,
        "secret key": SECRET_KEY,
        "token": token.split("_", 2)[2],
        "session": session,
        "unknown session": SESSION,
        "key of a model": MODEL_KEY,
        "password in an address": IN_AN_ADDRESS,
        "typed as a name": AS_NAME,
    }
    assert all(secrets.values())
    for name, secret in secrets.items():
        assert secret not in log, f"{name} is in the log"
    answered = "\n".join(browser.answers)
    for name in secrets.keys() - ECHOED:
        assert secrets[name] not in answered, f"{name} is in an answer"
