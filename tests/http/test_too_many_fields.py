"""Forms and addresses with more fields or files than are read: refused in words, and nothing is changed."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.test import Client

from projects.models import Project

pytestmark = pytest.mark.django_db

MANY = {f"field{number}": "1" for number in range(1001)}


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/dashboard/panels/", "/admin/projects/project/", "/admin/optimizations/optimization/"]
)
def test_an_address_of_the_back_office(admin_client: Client, path: str) -> None:
    answer = admin_client.get(f"{path}?{urlencode(MANY)}")
    assert answer.status_code == 400
    assert "at most 1,000 fields" in answer.content.decode()


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/projects/project/add/", "/admin/password_change/"])
@pytest.mark.parametrize("multipart", [True, False])
def test_a_form(admin_client: Client, path: str, *, multipart: bool) -> None:
    form = {"name": "new", **MANY}
    kind = {} if multipart else {"content_type": "application/x-www-form-urlencoded"}
    answer = admin_client.post(path, form if multipart else urlencode(form), **kind)  # type: ignore[arg-type]  # either
    assert answer.status_code == 400
    assert "at most 1,000 fields" in answer.content.decode()
    assert not Project.objects.exists()


def test_a_form_with_many_files() -> None:
    files = {f"file{number}": BytesIO(b"x") for number in range(101)}
    answer = Client().post("/admin/login/", files)
    assert (answer.status_code, "at most 100 files" in answer.content.decode()) == (400, True)


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/api/health", 422), ("/api/projects", 422)])
def test_the_api_and_health(admin_client: Client, path: str, status: int) -> None:
    assert admin_client.get(f"{path}?{urlencode(MANY)}").status_code == status


def test_a_thousand_rows_of_one_field_are_no_form_too_large(admin_client: Client) -> None:
    """As actions on many rows send them."""
    chosen = {"action": "", "_selected_action": [str(number) for number in range(900)]}
    assert admin_client.post("/admin/projects/project/", chosen).status_code in (200, 302)
