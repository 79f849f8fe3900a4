"""Lists with their filters under a name: one's own, and those that others share."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from promptadmin.models import SavedView
from tests.projects.making import make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

VIEWS, SAVE, RUNS = "/admin/views/", "/admin/views/save/", "/admin/optimizations/optimization/"
TABLE = "optimizations.optimization"


def save(client: Client, name: str, query: str = "status=error", **more: str) -> str:
    """What the page says that follows."""
    form = {"table": TABLE, "query": query, "name": name, **more}
    return client.post(SAVE, form, follow=True).content.decode()


def shown(client: Client, table: str = TABLE) -> str:
    return client.get(VIEWS, {"table": table, "query": "status=error"}).content.decode()


def test_a_list_is_saved_found_again_and_deleted() -> None:
    make_run(None, status="error", title="failed")
    make_run(None, title="fine")
    client = signed_in("viewer")
    page = client.get(f"{RUNS}?status=error").content.decode()
    assert "views/?table=optimizations.optimization&amp;query=status%3Derror" in page
    assert "None is saved yet" in shown(client)
    page = save(client, "What <failed>", "status=error&p=3&o=-3")
    assert "Saved the view" in page
    assert "fine" not in page
    address = f"{RUNS}?status=error&amp;o=-3"
    assert f'href="{address}"><bdi>What &lt;failed&gt;</bdi>' in shown(client)
    assert f'href="{address}"' in client.get("/admin/search/", {"s": "WHAT"}).content.decode()
    save(client, "What <failed>", "status=running")
    [view] = SavedView.objects.all()
    assert view.query == "status=running"
    assert "Deleted the view" in client.post(f"{VIEWS}{view.pk}/delete/", follow=True).content.decode()
    assert not SavedView.objects.exists()


def test_others_see_shared_views_of_lists_that_they_may_see() -> None:
    editor, viewer = signed_in("editor"), signed_in("viewer")
    save(editor, "mine")
    save(editor, "ours", is_shared="on")
    seen = shown(viewer)
    assert "mine" not in seen
    assert "ours" in seen
    assert "editor" in seen
    assert "mine" not in viewer.get("/admin/search/", {"s": "mine"}).content.decode().partition("note")[0]
    view = SavedView.objects.get(name="ours")
    assert viewer.post(f"{VIEWS}{view.pk}/delete/").status_code == 403
    assert viewer.post(f"{VIEWS}{SavedView.objects.get(name='mine').pk}/delete/").status_code == 404
    nobody = signed_in("")
    assert nobody.get(VIEWS, {"table": TABLE}).status_code == 403
    assert "ours" not in nobody.get("/admin/search/", {"s": "ours"}).content.decode().partition("note")[0]
    viewer.force_login(User.objects.create_superuser("ada"))
    viewer.post(f"{VIEWS}{view.pk}/delete/")
    assert [*SavedView.objects.values_list("name", flat=True)] == ["mine"]


@pytest.mark.parametrize(
    "table", ["", "x", "no.such", "auth.user", "auth.permission", "a.b.c", "optimizations.Optimization\n"]
)
def test_only_lists_that_one_may_see_have_views(table: str) -> None:
    client = signed_in("viewer")
    assert client.get(VIEWS, {"table": table}).status_code == 403
    assert client.post(SAVE, {"table": table, "name": "x"}).status_code == 403
    assert not SavedView.objects.exists()


def test_a_view_needs_a_name() -> None:
    client = signed_in("viewer")
    for name in ("", " ", "x" * 101):
        assert "wasn&#x27;t saved" in save(client, name).replace("’", "&#x27;")
    assert not SavedView.objects.exists()
