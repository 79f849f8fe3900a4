"""Events reach receivers after the commit only, and what fails in a plugin stays the plugin's, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from projects.apps import ProjectsConfig
from projects.models import Project
from projects.repository import ProjectRepository
from promptadmin.db.sessions import read_session, write_session
from promptadmin.plugins import events
from promptadmin.plugins.events import Event, send
from promptadmin.plugins.isolation import isolate_plugin_errors

pytestmark = pytest.mark.django_db(transaction=True)

told: list[tuple[str, Event, bool]] = []


def receive(event: Event) -> None:
    told.append(("after", event, connection.in_atomic_block))


def keep(event: Event) -> None:
    told.append(("within", event, connection.in_atomic_block))


def fail_in_the_database(event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM projects")


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    told.clear()
    monkeypatch.setattr(ProjectsConfig, "event_receivers", {"*": f"{__name__}.receive"})
    monkeypatch.setattr(ProjectsConfig, "event_recorders", {"*": f"{__name__}.keep"})
    events._listeners.cache_clear()
    yield
    events._listeners.cache_clear()


def test_receivers_are_told_after_the_commit_and_recorders_within(listening: None) -> None:
    with write_session():
        project = ProjectRepository().create_project(name="one")
        assert [when for when, _, _ in told] == ["within"]
    assert [(when, event.name, atomic) for when, event, atomic in told] == [
        ("within", "project_created", True),
        ("after", "project_created", False),
    ]
    event = told[0][1]
    assert (event, event.subject, event.data) == (
        told[1][1],
        project.id,
        {"project_id": project.id, "name": "one"},
    )


def test_what_is_rolled_back_tells_no_receiver(listening: None) -> None:
    with write_session() as session:
        ProjectRepository().create_project(name="one")
        session.set_rollback(True)
    assert [when for when, _, _ in told] == ["within"]
    assert not Project.objects.exists()


def test_an_event_that_nobody_declares_is_refused() -> None:
    with pytest.raises(LookupError, match="project_made"):
        send("project_made", subject="x")


def test_a_recorder_that_fails_leaves_the_change(listening: None, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(ProjectsConfig, "event_recorders", {"*": f"{__name__}.fail_in_the_database"})
    events._listeners.cache_clear()
    with write_session():
        ProjectRepository().create_project(name="one")
    assert Project.objects.count() == 1
    assert "Plugin projects: " in caplog.text
    assert "fail_in_the_database of the event project_created failed" in caplog.text


@pytest.mark.parametrize("session", [read_session, write_session])
def test_a_failed_statement_does_not_fail_the_session(session: Any, caplog: Any) -> None:
    with session():
        with isolate_plugin_errors("dummy", "its part"):
            fail_in_the_database(None)  # type: ignore[arg-type]  # it looks at no event
        assert Project.objects.count() == 0
    assert "Plugin dummy: its part failed" in caplog.text
