"""What the server is given: lines of the access log, and answers in one piece or as they are made."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from promptadmin.http.access_log import logged
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
    assert line.endswith(" ms")


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
