"""What the server is given: lines of the access log, and answers in one piece or as they are made."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from promptadmin.http.access_log import logged
from promptadmin.http.request_id import ANSWERED
from promptadmin.ops.server.worker import whole

pytestmark = pytest.mark.django_db  # the end of an answer looks at the connections


def test_a_line_of_the_access_log_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def application(environ: Any, start: Any) -> Any:
        start("404 Not Found", [])
        return [b""]

    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "::1"}
    with os.fdopen(os.dup(1), "w") as output:
        monkeypatch.setattr("sys.stdout", output)
        logged(application)(environ | {"PATH_INFO": '/a\n[2026] 1.1.1.1 "GET /\ud800 ü'}, lambda *_: None)
        monkeypatch.undo()
    (line,) = capfd.readouterr().out.splitlines()
    assert line.split(" ", 3)[3].startswith(r'::1 "GET /a\n[2026] 1.1.1.1 "GET /\ud800 ü HTTP/1.1" 404 ')
    assert line.endswith(" ms - -"), "Django made no request of it"


def test_the_access_log_names_the_request_and_its_caller(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], rf: RequestFactory, settings: Any
) -> None:
    """Also where a name has signs that would begin another line; a session that nobody looked at stays unread."""
    users = [User(username="anna"), User(username="b\n[x]"), None]

    def written() -> list[str]:
        with os.fdopen(os.dup(1), "w") as output:
            monkeypatch.setattr("sys.stdout", output)
            environ = rf.get("/admin/").environ
            for number, user in enumerate(users):

                def application(environ: Any, start: Any, number: int = number, user: Any = user) -> Any:
                    request = WSGIRequest(environ)
                    request.id = f"id-{number}"  # type: ignore[attr-defined]  # as the middleware does
                    if user:
                        request._cached_user = user  # type: ignore[attr-defined]  # as Django does
                    environ[ANSWERED] = request
                    start("200 OK", [])
                    return [b""]

                logged(application)(environ, lambda *_: None)
                assert ANSWERED not in environ, "a cycle for the garbage collector"
            monkeypatch.undo()
        return capfd.readouterr().out.splitlines()

    lines = written()
    assert [line.partition(" ms ")[2] for line in lines] == ["id-0 user anna", r"id-1 user b\n[x]", "id-2 -"]
    settings.LOG_FORMAT = "json"
    entries = [json.loads(line) for line in written()]
    assert [(entry["request_id"], entry["caller"]) for entry in entries] == [
        ("id-0", "user anna"),
        ("id-1", "user b\n[x]"),
        ("id-2", "-"),
    ]
    assert {(entry["method"], entry["path"], entry["status"]) for entry in entries} == {("GET", "/admin/", 200)}


def test_requests_are_answered_where_nobody_reads_the_access_log(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "::1", "PATH_INFO": "/"}
    with os.fdopen(writing, "w") as output:
        monkeypatch.setattr("sys.stdout", output)
        answered = logged(lambda environ, start: [b"answer"])(environ, lambda *_: None)
        monkeypatch.undo()
    assert answered == [b"answer"]


def test_an_answer_that_streams_stays_a_stream_and_others_are_closed() -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}

    def given(made: Any) -> Any:
        return whole(lambda environ, start: made)(environ, lambda *_: None)

    plain = HttpResponse(b"whole")
    assert given(plain) == [b"whole"]
    assert plain.closed
    streamed = StreamingHttpResponse([b"a", b"b"], headers={"Content-Length": "2"})
    assert given(streamed) is streamed
    assert not streamed.closed
