"""Addresses that end with a slash, and encodings that a client refuses."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from projects.models import Project
from tests.projects.making import make_project

JSON = "application/json"


@pytest.fixture
def api(settings: Settings, db: None) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/api/projects/", "/api/projects/some%20id/", "/api/projects/a/prompts/b/", "/health/"]
)
def test_a_slash_at_the_end_redirects_and_keeps_the_request(api: Client, method: str, path: str) -> None:
    answer = api.generic(method, f"{path}?search=a%26b&x=", b"{}", content_type=JSON)
    assert (answer.status_code, answer["Location"]) == (307, f"{path.rstrip('/')}?search=a%26b&x=")


@pytest.mark.parametrize("slashes", ["/", "//", "///"])
def test_a_client_that_follows_gets_there(api: Client, slashes: str) -> None:
    project = make_project()
    made = api.post(f"/api/projects/{project.id}/prompts{slashes}", {"content": "x"}, content_type=JSON, follow=True)
    assert made.status_code == 201
    shown = api.get(f"/api/projects/{project.id}{slashes}", follow=True)
    assert [prompt["content"] for prompt in shown.json()["prompts"]] == ["x"]


def test_of_strangers_and_programs_the_access_is_asked_at_the_address_itself(client: Client, db: None) -> None:
    assert client.get("/api/projects/").status_code == 307
    assert client.get("/api/projects/", follow=True).status_code == 401
    program = client.get("/api/projects/", headers={"Authorization": "Bearer nobody"})
    assert (program.status_code, program["Location"]) == (307, "/api/projects")


def test_a_foreign_page_is_refused_first(api: Client) -> None:
    answer = api.post("/api/projects/", {"name": "x"}, content_type=JSON, headers={"Origin": "https://elsewhere.test"})
    assert answer.status_code == 403
    assert not Project.objects.exists()


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/", "/api//", "/api/projects/a/b/c/"])
def test_where_nothing_is_without_the_slash_either_there_is_nothing(api: Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("gzip;q=1", True),
        ("gzip;q=0.001", True),
        ("br, gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, identity", False),
        ("br;q=1.0, gzip ; Q=0", False),
        ("*;q=0, identity", False),
        ("identity", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("path", ["/api/projects", "/admin/login/"])
def test_an_encoding_of_no_weight_is_not_taken(api: Client, accepted: str, compressed: bool, path: str) -> None:
    """By pages and by the API, on both ways through the middleware."""
    make_project(description="long " * 300)
    for cookie in ("", "other=1"):
        answer = api.get(path, headers={"Accept-Encoding": accepted, **({"Cookie": cookie} if cookie else {})})
        assert answer.status_code == 200
        check(answer, compressed, path)


def check(answer: Any, compressed: bool, path: str) -> None:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert (answer.get("Content-Encoding") == "gzip") == compressed
    assert (content[:2] == b"\x1f\x8b") == compressed
    assert b"long long" in (gzip.decompress(content) if compressed else content) or path != "/api/projects"
