"""Programs that read a row through the API, to copy and run: for a shell, and in Python without any library."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse

from promptadmin.http.own_address import own_address

CURL = """\
curl --fail --silent --show-error \\
  --header "Authorization: Bearer $TOKEN" \\
  "{address}"
"""
PYTHON = """\
import json
import os
import urllib.request

request = urllib.request.Request(
    "{address}",
    headers={{"Authorization": "Bearer " + os.environ["TOKEN"]}},
)
with urllib.request.urlopen(request) as answer:
    {name} = json.load(answer)
print({name}["{field}"])
"""


class Snippet(NamedTuple):
    """A program in a language, and the id of the element that shows it."""

    key: str
    language: str
    text: str


def snippets(request: HttpRequest, *path: object, name: str, field: str) -> list[Snippet]:
    """Programs that read what these segments below `/api/` name, call it `name`, and print one of its fields."""
    segments = "/".join(quote(str(segment), safe="") for segment in path)
    values = {"address": f"{own_address(request)}/api/{segments}", "name": name, "field": field}
    return [
        Snippet("curl", "curl", CURL.format(**values)),
        Snippet("python", "Python", PYTHON.format(**values)),
    ]


def add_token(request: HttpRequest) -> str:
    """The address of the page that makes tokens, for those who may."""
    return reverse("admin:promptadmin_apitoken_add") if request.user.has_perm("promptadmin.add_apitoken") else ""
