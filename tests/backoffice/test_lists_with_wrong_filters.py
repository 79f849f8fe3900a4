"""An address of a list with a filter that nobody knows says that it shows everything."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.projects.making import make_project, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(admin_client: Client) -> Client:
    make_run(project=make_project().name)
    return admin_client


def test_every_list_names_what_it_could_not_use(staff: Client) -> None:
    apps = staff.get("/admin/").context["available_apps"]
    addresses = [model["admin_url"] for app in apps for model in app["models"]]
    assert len(addresses) > 5
    for address in addresses:
        answer = staff.get(f"{address}?statuss=error", follow=True)
        assert answer.status_code == 200
        assert "Of statuss, something is no filter of this list" in answer.content.decode(), address
        assert "something is no filter" not in staff.get(address).content.decode()


def test_the_dashboard_names_what_it_could_not_use(staff: Client) -> None:
    assert "no choice named projekt" in staff.get("/admin/?projekt=x&period=7d").content.decode()
    assert "no choice named" not in staff.get("/admin/?project=x&period=7d").content.decode()
    assert "no choice named" in signed_in("viewer").get("/admin/?x=1").content.decode()
