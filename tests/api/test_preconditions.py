"""If-Match where the row to lock is named by another key than its primary one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client, RequestFactory
from pytest_django import Settings

from promptadmin.api.etags import Resource, checks_if_match, digest_tag, expect_match
from promptadmin.db.sessions import write_session
from promptadmin.errors import PreconditionFailed
from promptadmin.models import ApiToken
from tests.projects.making import make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("lock", "parameters"),
    [
        ((Group, "name"), {"name": "viewer"}),
        ((Group, "role", "name"), {"role": "viewer"}),
        ((User, "username"), {"username": "none such"}),
        ((ApiToken, "token_prefix", "prefix"), {"token_prefix": "none such"}),
    ],
)
def test_a_natural_key_locks_the_row(lock: tuple[type[models.Model], str], parameters: dict[str, Any]) -> None:
    """By the field that the parameter is named after, or by one that is given; the ETag decides as always."""

    @checks_if_match(Resource(lambda **given: given, lock=lock))
    def operation() -> None:
        """Changes it."""

    def ask(tag: str) -> None:
        request = RequestFactory().put("/", headers={"If-Match": tag})
        with write_session():
            expect_match(request, operation, parameters)

    ask(digest_tag(parameters))
    with pytest.raises(PreconditionFailed):
        ask('"other"')


def test_statistics_are_asked_for_again_and_show_each_write(settings: Settings) -> None:
    """A browser keeps none without asking: 304 while nothing has changed, the new ones at once when something has."""
    settings.API_AUTH_TOKEN = "secret"
    client = Client(headers={"Authorization": "Bearer secret"})
    make_run(overall_score=0.5)
    first = client.get("/api/history/stats")
    assert first.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/api/history/stats", headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    run = {"raw_prompt": "x", "overall_score": 0.7}
    assert client.post("/api/optimizations", run, "application/json").status_code == 201
    after = client.get("/api/history/stats", headers=known)
    assert (after.status_code, after.json()["total_optimizations"]) == (200, 2)
