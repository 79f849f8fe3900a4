"""Programs' requests take a short way through the middleware, and get what the whole way would give."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client

from promptadmin.accounts import tokens
from promptadmin.db.sqlite.file_identity import FileReplacedError
from promptadmin.http import programs
from promptadmin.http.access_log import logged
from promptadmin.http.breaking_off import visibly_broken
from promptadmin.ops.server.worker import whole

pytestmark = pytest.mark.django_db

#: Of nobody: it changes no answer to reading, but such a request takes the whole way.
FOREIGN = {"Origin": "https://elsewhere.example"}


@pytest.fixture
def token() -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create_token(name='t', scopes=tokens.SCOPES)[1]}"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("more", [{}, {"Accept-Encoding": "gzip"}, {"X-Request-ID": "mine"}, {"Host": "elsewhere"}])
@pytest.mark.parametrize(
    "path", ["/api/history", "/api/optimize/nope", "/api/nope", "/api/history?page=0", "/api/docs", "/api/openapi.json"]
)
def test_both_ways_answer_the_same(token: dict[str, str], method: str, more: dict[str, str], path: str) -> None:
    client = Client(raise_request_exception=False)
    short = client.generic(method, path, headers=token | more)
    long = client.generic(method, path, headers=token | more | FOREIGN)
    assert (short.status_code, len(short.content) > 0) == (long.status_code, len(long.content) > 0)
    told = [{name: value for name, value in answer.items() if name != "X-Request-ID"} for answer in (short, long)]
    if "gzip" in told[0].get("Content-Encoding", ""):  # compressed answers have a random length
        del told[0]["Content-Length"], told[1]["Content-Length"]
    elif path != "/api/docs":  # a page has its own token for forms
        assert short.content == long.content
    assert told[0] == told[1]
    assert ("mine" in more.values()) == (short["X-Request-ID"] == "mine")


def test_what_a_layer_raises_gets_the_headers_too(token: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: Any) -> Any:
        raise FileReplacedError("another file")

    monkeypatch.setattr(programs, "file_in_place_middleware", lambda get_response: fail)
    answer = Client(raise_request_exception=False).get("/api/history", headers=token)
    assert (answer.status_code, answer["X-Frame-Options"], "X-Request-ID" in answer) == (503, "DENY", True)


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
    with_length = StreamingHttpResponse([b"a", b"b"], headers={"Content-Length": "2"})
    assert given(with_length) is with_length
    without = StreamingHttpResponse(iter([b"a", b"b"]))
    streamed = given(without)
    assert next(streamed) == b"a"
    assert not without.closed
    assert list(streamed) == [b"b"]
    streamed.close()
    assert without.closed


def test_an_answer_that_fails_without_a_connection_to_cut_is_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a"
        raise ValueError

    monkeypatch.setattr("promptadmin.http.breaking_off.SECONDS_TO_BEGIN", 0)
    streamed = visibly_broken(StreamingHttpResponse(parts()), "GET /")
    assert next(streamed) == b"a"
    with pytest.raises(ValueError, match=r"^$"):
        next(streamed)
